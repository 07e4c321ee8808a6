"""Bank files, cover sheet and manifest of a payment batch (报盘). Committed first, written afterwards, always the same bytes.

A file is read back by its own layout and compared line by line with the record before it counts as written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError, RefusedError
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.files import record_file, recorded_files
from jiuzhu_cli.ledger.payment_digests import written_differs
from jiuzhu_cli.ledger.payment_moves import Signer, moving, set_exported, set_released
from jiuzhu_cli.ledger.store import Store, utc_stamp
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.bankfile import Making, write_part
from jiuzhu_cli.payment.layout import Problem, masked, problems_of
from jiuzhu_cli.payment.lists import write_cover, write_manifest
from jiuzhu_cli.payment.parts import OF_RECIPIENT, USED, Part, bound_layout, folder_of, parts, summed
from jiuzhu_cli.payment.states import check_signed, check_sums, locked_lines, may_release_itself
from jiuzhu_cli.tabular.files import sha256_of

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankLayout
    from jiuzhu_cli.policy.load import Policy

TO_SEND = ("approved", "released")


@dataclass(slots=True)
class Exported:
    """``files``: ``path`` (in the workspace), ``bank, lines, amount_fen, sha256``; ``written``: how many were written now."""

    batch: dict[str, Any]
    files: list[dict[str, Any]]
    written: int
    cover: str
    manifest: str

    def as_json(self) -> dict[str, Any]:
        keys = ("month", "sequence", "kind", "state", "lines", "amount_fen")
        return {
            "batch": self.batch["payment_id"],
            **{key: self.batch[key] for key in keys},
            "files": self.files,
            "written": self.written,
            "cover": self.cover,
            "manifest": self.manifest,
        }


def export(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    batch: dict[str, Any],
    *,
    actor: str,
    now: datetime,
    rewrite: bool = False,
    signer: Signer | None = None,
) -> Exported:
    """Exports an approved batch; run again it writes missing files and shows the batch.

    RefusedError when it is not approved, when its lines are not those that were locked, or when a file on disk was altered
    (``rewrite`` writes it anew). DataError when a line cannot be expressed in its bank's format: then nothing is written.
    """
    if batch["state"] in ("draft", "locked", "cancelled"):
        raise RefusedError(
            f"第 {batch['payment_id']} 批还没有审批，不能导出"
            if batch["state"] != "cancelled"
            else f"第 {batch['payment_id']} 批已取消",
            "先锁定并由另一人审批：jiuzhu pay lock，jiuzhu pay approve --actor 审批人",
            code="not_approved",
        )
    placed: dict[Path, str] = {}
    with moving(store, batch, actor=actor, command="pay export"):
        if batch["state"] == "approved":
            may_release_itself(store, workspace, batch, actor, signer)
        lines, made = _ready(store, workspace, policy, batch, now)
        if batch["state"] in TO_SEND:
            placed = _to_bank(store, batch, made, actor=actor, now=now, signer=signer)
    batch = payments.batch(store, batch["payment_id"])
    return _write_files(store, workspace, policy, batch, lines, made, placed, actor=actor, now=now, rewrite=rewrite)


Made = tuple["BankLayout", Part]


def _ready(
    store: Store, workspace: Workspace, policy: Policy, batch: dict[str, Any], now: datetime
) -> tuple[pa.Table, list[Made]]:
    """The batch's lines and the files they become, once all holds that must: of the record, the lines, and (not sent yet) of what banks take."""
    to_send = batch["state"] in TO_SEND
    with locked_lines(store, batch, more=OF_RECIPIENT) as lines:
        if to_send:
            check_signed(store, workspace, batch)
        check_sums(store, batch, lines)
        used = lines.select(USED)
        sent = batch | {"exported_at": utc_stamp(now)} if to_send else batch
        made = [
            (bound_layout(workspace, policy, part.bank), part) for part in parts(store, workspace, policy, sent, used)
        ]
        if to_send:
            _refuse_unfit(made)
    if to_send:
        _refuse_strangers(workspace, batch)
    return used, made


def _to_bank(
    store: Store, batch: dict[str, Any], made: Sequence[Made], *, actor: str, now: datetime, signer: Signer | None
) -> dict[Path, str]:
    """Releases a batch that nobody else has to release, and exports it; the digests of its files, which are made meanwhile and get their names
    after that."""
    with Making(made) as making:
        with store.transaction(actor=actor, command="pay export", now=now) as tx:
            if batch["state"] == "approved":
                set_released(tx, batch["payment_id"], signer)
            set_exported(tx, batch["payment_id"])
            tx.journal(f"payment:{batch['payment_id']}", {"lines": batch["lines"], "amount_fen": batch["amount_fen"]})
        return making.put()


def _refuse_unfit(made: Sequence[Made]) -> None:
    """DataError when a line cannot stand in its bank's file: nothing is written then."""
    found: dict[str, list[Problem]] = {}
    for layout, part in made:
        if problems := problems_of(layout, part.columns, part.summary):
            found.setdefault(layout.name, []).extend(problems)
    if found:
        text = "；".join(f"{name} {masked(problems)}" for name, problems in found.items())
        raise DataError(
            f"银行文件写不了，一个字也没有写：{text}",
            "改用收得下的写法或格式：更正名册的户名后取消本批重新制单，或在 policy/banks/ 换编码",
            code="unfit_lines",
        )


def _refuse_strangers(workspace: Workspace, batch: dict[str, Any]) -> None:
    """Before its export a batch has no files; if it has, a record that was replaced since knew of a release (restored backup)."""
    folder = folder_of(workspace, batch)
    found = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    if found:
        raise RefusedError(
            f"{workspace.relative(folder)} 里已有台账不记得的文件：{'、'.join(found[:5])}",
            "可能是恢复备份之前导出的：先问银行收到没有；确认没有送出，把这个文件夹移走再导出",
            code="unknown_files",
        )


def _write_files(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    batch: dict[str, Any],
    lines: pa.Table,
    made: Sequence[Made],
    placed: Mapping[Path, str],
    *,
    actor: str,
    now: datetime,
    rewrite: bool,
) -> Exported:
    entity = f"payment:{batch['payment_id']}"
    known = {str(row["path"]): str(row["sha256"]) for row in recorded_files(store, entity=entity)}
    altered = [path for path, digest in known.items() if _digest(workspace.root / path) not in ("", digest)]
    if altered and not rewrite:
        raise RefusedError(
            f"这些文件写出后被改动过：{'、'.join(Path(path).name for path in altered)}",
            "查清是谁改的；确认要按台账重写，加 --rewrite",
            code="altered_file",
        )
    entries: list[dict[str, Any]] = []
    fresh: list[tuple[Path, str, str, int | None, int | None]] = []
    for layout, part in made:
        name = workspace.relative(part.path)
        digest = placed.get(part.path) or _digest(part.path)
        if not digest or digest != known.get(name):
            digest = placed.get(part.path) or write_part(layout, part)
            if (
                digest != known.get(name, digest) and not rewrite
            ):  # the layout or the settings are others than when it went out
                part.path.unlink(missing_ok=True)
                raise RefusedError(
                    f"{part.path.name} 补写出来与当时导出的不是同样的内容",
                    "导出以后改过 policy/banks/ 或 jiuzhu.toml：改回来再补；确认银行没有收到旧文件、要按现在的格式重写，加 --rewrite",
                    code="altered_layout",
                )
            fresh.append((part.path, "bank_file", digest, part.lines, part.amount_fen))
        entries.append(
            {"path": name, "bank": part.bank, "lines": part.lines, "amount_fen": part.amount_fen, "sha256": digest}
        )
    wanted = [row | {"lines": row["transfers"]} for row in summed(lines, "bank")]
    difference = written_differs(batch, entries, wanted)
    if difference:
        raise DataError(f"{difference}，不要送银行", "运行 jiuzhu audit check 查清", code="sums_differ")
    stem = f"{batch['month']}_{batch['sequence']:02d}"
    cover = folder_of(workspace, batch) / f"汇总单_{stem}.xlsx"
    manifest = folder_of(workspace, batch) / "manifest.json"
    for path, kind in ((cover, "cover"), (manifest, "manifest")):
        digest = _digest(path)
        if fresh or not digest or digest != known.get(workspace.relative(path)):
            digest = (
                write_cover(policy, batch, entries, summed(lines, "programme", "bank"), path)
                if kind == "cover"
                else write_manifest(batch, entries, path)
            )
            fresh.append((path, kind, digest, batch["lines"], batch["amount_fen"]))
    if fresh:
        with store.transaction(actor=actor, command="pay export", now=now) as tx:
            for path, kind, digest, count, amount in fresh:
                record_file(
                    tx, workspace, path, entity=entity, kind=kind, sha256=digest, lines=count, amount_fen=amount
                )
                tx.journal(
                    entity,
                    {"file": path.name, "lines": count, "amount_fen": amount, "rewritten": rewrite and bool(altered)},
                    digest=digest,
                )
    written = sum(1 for entry in fresh if entry[1] == "bank_file")
    return Exported(batch, entries, written, workspace.relative(cover), workspace.relative(manifest))


def _digest(path: Path) -> str:
    return sha256_of(path) if path.exists() else ""
