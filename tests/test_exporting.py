"""Snapshots that leave the district: what is in them, what is not, and that hashes of different districts meet."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jiuzhu_cli.core.errors import DataError, RefusedError, UsageError
from jiuzhu_cli.core.keyed import check_key, keyed_hash, normal_digits, normal_id
from jiuzhu_cli.exporting import Exported, export_snapshot, make_key, read_key
from jiuzhu_cli.ledger.files import changed_files
from jiuzhu_cli.matchlists import match_lists
from jiuzhu_cli.policy.load import load_policy
from tests.dedupe.worlds import LOW, POOR, World, household, person
from tests.support import make_id


def _world(folder: Path) -> World:
    folder.mkdir()
    world = World(folder)
    world.roll(
        LOW, "东镇", *household(1, 90_000, 1, 2, 3), person(7, 12_300, phone="138 0013-8000", account_no="6222 0001")
    )
    world.roll(POOR, "西镇", person(9, 80_000), month="2026-09")
    world.register("death", {"id_no": make_id(5), "name": "某人"})
    return world


def _export(world: World, folder: str = "上报", month: str = "", key: bytes | None = None) -> Exported:
    return export_snapshot(
        world.workspace, world.store, folder=folder, month=month, key=key, policy_digest="d", actor="张经办"
    )


def test_clear_snapshot_says_what_it_holds(tmp_path: Path) -> None:
    world = _world(tmp_path / "a")
    done = _export(world, month="2026-10")
    manifest = json.loads((done.folder / "manifest.json").read_text("utf-8"))
    roll = pq.read_table(done.folder / "roll.parquet")
    assert (
        roll.num_rows == 4
        and set(roll["month"].to_pylist()) == {"2026-10"}
        and set(roll["region"].to_pylist()) == {"421002"}
    )
    told = {one["name"]: one for one in manifest["files"]}
    assert told["roll.parquet"]["amount_fen"] == 102_300 == sum(fen or 0 for fen in roll["amount_fen"].to_pylist())
    assert (manifest["schema_version"], manifest["hashed"], manifest["key_fingerprint"]) == (1, False, "")
    assert told["register.parquet"]["rows"] == 1
    assert not changed_files(world.store, world.workspace)
    if os.name == "posix":
        assert {oct(path.stat().st_mode & 0o777) for path in done.folder.iterdir()} == {"0o600"}
    before = {path.name: path.read_bytes() for path in done.folder.iterdir()}
    again = _export(world, month="2026-10")
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == before


@pytest.mark.parametrize("folder", ["../bank", "/", "..", ".", "a/../../public"])
def test_nothing_is_written_elsewhere(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError, match="out/internal"):
        _export(_world(tmp_path / "a"), folder=folder)


def test_hashes_meet_and_show_nothing(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    assert read_key(tmp_path / "key") == key
    one, other = _world(tmp_path / "a"), World(tmp_path)
    other.roll(LOW, "南镇", person(2, 5_000), person(44, 6_000))
    first, second = _export(one, key=key), _export(other, key=key)
    for folder in (first.folder, second.folder):
        for path in folder.iterdir():
            written = path.read_bytes()
            assert not any(make_id(serial).encode() in written for serial in range(1, 60))
            assert "王".encode() not in written and key not in written
    out = match_lists([first.folder / "roll.parquet", second.folder / "roll.parquet"], load_policy(), out=tmp_path / "o.csv", pairs=tmp_path / "p.csv")  # fmt: skip
    assert (out.rows, out.persons, out.pairs, out.hashed) == (7, 6, 1, True)
    assert "id=equal" in (tmp_path / "p.csv").read_text()
    rolls = [pq.read_table(folder / "roll.parquet") for folder in (first.folder, second.folder)]
    assert keyed_hash(key, "id", make_id(2)) in rolls[1]["id_no"].to_pylist()
    assert keyed_hash(key, "phone", "13800138000") in rolls[0]["phone"].to_pylist()
    assert not {"name", "village", "address", "remark", "disability_no", "row_id"} & set(rolls[0].column_names)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    keys = [make_key(tmp_path / name) for name in ("k1", "k2")]
    world = _world(tmp_path / "a")
    clear = _export(world).folder / "roll.parquet"
    hashed = [_export(world, folder=f"f{n}", key=key).folder / "roll.parquet" for n, key in enumerate(keys)]
    with pytest.raises(DataError, match="明文"):
        match_lists([hashed[0], clear], load_policy(), out=tmp_path / "o.csv")
    with pytest.raises(DataError, match="同一个密钥"):
        match_lists(hashed, load_policy(), out=tmp_path / "o.csv")
    assert match_lists([clear], load_policy(), out=tmp_path / "o.csv").rows == 5


@pytest.mark.parametrize(
    "key", [b"", b"short", b"a" * 64, b"0123456789abcdef" * 4, b"ab" * 40, bytes(range(64)), b"password" * 8]
)
def test_weak_keys_are_refused(key: bytes) -> None:
    with pytest.raises(UsageError, match="密钥"):
        check_key(key)


def test_key_files_are_private_and_never_replaced(tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    with pytest.raises(RefusedError, match="没有覆盖"):
        make_key(tmp_path / "key")
    if os.name == "posix":
        (tmp_path / "key").chmod(0o640)
        with pytest.raises(RefusedError, match="别人也能读"):
            read_key(tmp_path / "key")


def test_equal_persons_are_written_equally() -> None:
    whole = make_id(3, born="19650301")
    old = whole[:6] + whole[8:17]
    assert normal_id(old) == normal_id(f" {whole[:10]} {whole[10:]} ") == whole
    with_x = next(make_id(n) for n in range(1, 200) if make_id(n).endswith("X"))
    assert normal_id(with_x.lower()) == with_x
    assert normal_digits("+86 138-0013-8000") == normal_digits("138 0013 8000") == "13800138000"


def test_a_damaged_snapshot_is_said(tmp_path: Path) -> None:
    path = _export(_world(tmp_path / "a"), key=make_key(tmp_path / "key")).folder / "roll.parquet"
    whole = path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little") + 8
    (tmp_path / "broken.parquet").write_bytes(whole[:4] + b"\xff" * (len(whole) - footer - 4) + whole[-footer:])
    with pytest.raises(DataError, match="损坏"):
        match_lists([tmp_path / "broken.parquet"], load_policy(), out=tmp_path / "o.csv")
    assert not (tmp_path / "o.csv").exists()
