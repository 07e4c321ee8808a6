"""Parts of a zip inflated in pieces and packed in pieces: byte for byte as the standard library does both, with ISA-L and without."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.tabular import inflate
from jiuzhu_cli.tabular.package import Package, Packed, Writer

MACHINES = [inflate.machine] if inflate.machine is zlib else [inflate.machine, zlib]
CONTENT = st.one_of(
    st.binary(max_size=3000),
    st.lists(st.sampled_from([b"<c r=", b"42100", b"\0" * 300, b"x"]), max_size=400).map(b"".join),
)


@pytest.fixture(params=MACHINES, ids=lambda machine: machine.__name__)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(inflate, "machine", request.param)
    return request.param


def archive(*parts: bytes, level: int = 6, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=level) as made:
        for number, part in enumerate(parts):
            made.writestr(f"部件{number}.xml", part)
    return out.getvalue()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=CONTENT, second=CONTENT, size=st.integers(1, 5000), fed=st.sampled_from([1, 3, 64, 1 << 19]), level=st.integers(0, 9))  # fmt: skip
def test_two_parts_read_in_turn(machine: Any, first: bytes, second: bytes, size: int, fed: int, level: int) -> None:
    with pytest.MonkeyPatch.context() as patch, zipfile.ZipFile(io.BytesIO(archive(first, second, level=level))) as made:  # fmt: skip
        patch.setattr(inflate, "_FED", fed)
        streams = [inflate.inflated(made, info, size) for info in made.infolist()]
        got: list[list[bytes]] = [[], []]
        while streams_left := [number for number, stream in enumerate(streams) if stream is not None]:
            for number in streams_left:
                piece = next(streams[number], None)
                if piece is None:
                    streams[number] = None  # type: ignore[call-overload]
                else:
                    assert 0 < len(piece) <= size
                    got[number].append(piece)
    assert [b"".join(pieces) for pieces in got] == [first, second]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENT, data=st.data())
def test_what_is_damaged_never_passes(machine: Any, content: bytes, data: st.DataObject) -> None:
    whole = bytearray(archive(content))
    with zipfile.ZipFile(io.BytesIO(bytes(whole))) as made:
        info = made.infolist()[0]
        begin = info.header_offset + 30 + len(info.filename.encode())
    place = data.draw(st.integers(begin, begin + info.compress_size - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    with zipfile.ZipFile(io.BytesIO(bytes(whole))) as made:
        try:
            got = b"".join(inflate.inflated(made, made.infolist()[0], 1000))
        except (zlib.error, zipfile.BadZipFile, EOFError):
            return
    assert got == content  # a bit that tells nothing


def test_a_part_that_ends_early(machine: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(archive(b"abc" * 1000))) as made:
        info = made.infolist()[0]
        info.compress_size -= 2
        with pytest.raises((EOFError, zlib.error)):
            list(inflate.inflated(made, info, 100))


def test_a_stored_part(machine: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(archive(b"abc" * 1000, method=zipfile.ZIP_STORED))) as made:
        assert b"".join(inflate.inflated(made, made.infolist()[0], 100)) == b"abc" * 1000


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(CONTENT, max_size=5))
def test_packed_in_pieces(machine: Any, pieces: list[bytes]) -> None:
    packages = []
    for _ in range(2):
        out, spool = io.BytesIO(), io.BytesIO()
        writer = Writer(out)
        writer.add("前.xml", [b"<a/>"])
        writer.paste("large.xml", Packed.of(iter(pieces), spool))
        writer.close()
        packages.append(out.getvalue())
    assert packages[0] == packages[1]
    with zipfile.ZipFile(io.BytesIO(packages[0])) as made:
        assert made.testzip() is None
        assert made.read("large.xml") == b"".join(pieces)
    package = Package(io.BytesIO(packages[0]))
    assert b"".join(package.pieces("large.xml")) == b"".join(pieces)
    package.close()
