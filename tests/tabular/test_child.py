"""Reading in child processes, with real faults: killed, out of memory, out of time, aborted; no orphan, no file left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from jiuzhu_cli.core.errors import DataError, OutsideError
from jiuzhu_cli.tabular import child
from jiuzhu_cli.tabular.child import Readers
from jiuzhu_cli.tabular.column import Column
from jiuzhu_cli.tabular.forked import Forked
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.secret import ENCRYPTED
from tests.tabular.test_guard import raw_xlsx, sheet_xml
from tests.tabular.test_read import messy_xlsx
from tests.tabular.test_sheetxml import same

posix = pytest.mark.skipif(os.name != "posix", reason="limits and signals of the system")


def small(path: Path, rows: int = 3) -> Path:
    book = openpyxl.Workbook()
    for row in range(rows):
        book.active.append([f"名{row}", row, row / 8])
    book.save(path)
    return path


def large(path: Path, rows: int) -> Path:
    cells = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>第{n}行的文字，有些长度</t></is></c><c r="B{n}"><v>{n}</v></c></row>'
        for n in range(1, rows)
    )
    return raw_xlsx(path, sheet_xml(cells, dimension=f"A1:B{rows}"))


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes the slow exact pass: seconds."""
    rows = "".join(f"<row r='{n}'><c r='A{n}'><v>1</v></c></row>" for n in range(1, 400_000))
    return raw_xlsx(tmp_path_factory.mktemp("slow") / "慢.xlsx", sheet_xml(rows))


def forks(monkeypatch: pytest.MonkeyPatch) -> bool:
    """Lets readers be forked from here, whatever threads the runner of the tests has; whether this system can at all."""
    monkeypatch.setattr(child, "can_fork", lambda: sys.platform == "linux")
    return sys.platform == "linux"


@pytest.fixture(params=["started", "forked"])
def loaded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param == "forked" and not forks(monkeypatch):
        pytest.skip("no fork here")
    return bool(request.param == "forked")


@pytest.fixture
def readers(loaded: bool) -> Iterator[Readers]:
    with Readers(loaded=loaded) as one:
        assert isinstance(one._all[0]._process, Forked) == loaded
        yield one


def process(readers: Readers) -> int:
    return readers._all[-1]._process.pid


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for_end(pid: int) -> None:
    until = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_alive(pid)


def test_what_a_child_reads_is_what_is_read_here(tmp_path: Path, readers: Readers) -> None:
    messy = messy_xlsx(tmp_path / "a.xlsx")
    (tmp_path / "名册.csv").write_text("姓名,金额\n张三,5\n,\n", encoding="utf-8")
    for path in (messy, tmp_path / "名册.csv", small(tmp_path / "b.xlsx", 500)):
        same(readers.get(path), read_workbook(path))
    assert len(readers._all) == 1  # one process for all


def test_refusals_come_back_as_they_are(tmp_path: Path, readers: Readers) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"%PDF-1.7\n")
    with pytest.raises(DataError, match="PDF") as refused:
        readers.get(tmp_path / "a.xlsx")
    assert refused.value.todo and refused.value.exit_code == 3
    with pytest.raises(OutsideError):
        readers.get(tmp_path / "none.xlsx")
    assert len(readers._all) == 1


def test_files_are_read_ahead_in_order(tmp_path: Path) -> None:
    paths = [small(tmp_path / f"{n}.xlsx", n + 1) for n in range(8)]
    for workers in (0, 1, 2):
        with Readers(workers) as readers:
            readers.expect(paths)
            assert 1 <= len(readers._ahead) <= 3
            for n, path in enumerate(paths):
                if n != 3:  # nobody asks for it
                    assert readers.get(path).sheets[0].height == n + 1
            assert readers.get(paths[2]).sheets[0].height == 3  # again


def test_readers_end_when_all_that_was_expected_is_read(tmp_path: Path) -> None:
    paths = [small(tmp_path / f"{number}.xlsx", number + 1) for number in range(3)]
    with Readers(1) as readers:
        readers.expect(paths)
        heights = [readers.get(path).sheets[0].height for path in paths[:2]]
        [one] = readers._all
        assert one.alive()
        heights.append(readers.get(paths[2]).sheets[0].height)
        deadline = time.monotonic() + 10
        while one.alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not one.alive()
        heights.append(readers.get(paths[0]).sheets[0].height)  # asked for again: by a new one
    assert heights == [1, 2, 3, 1]


def test_large_files_do_not_wait_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_AHEAD_BYTES", 1000)
    paths = [small(tmp_path / f"{n}.xlsx") for n in range(3)]
    with Readers(0) as readers:
        readers.expect(paths)
        assert len(readers._ahead) == 1
        assert [readers.get(path).sheets[0].height for path in paths] == [3, 3, 3]


def test_a_function_of_ours_runs_in_the_child(tmp_path: Path, readers: Readers) -> None:
    path = small(tmp_path / "a.xlsx")
    answer = readers.submit(path, then=("tests.tabular.test_child:height_and_process", 5))
    assert answer.result() == (3, 5, process(readers))


def test_what_readers_are_told_goes_to_each_that_is_asked(tmp_path: Path, loaded: bool) -> None:
    path, then = small(tmp_path / "a.xlsx"), ("tests.tabular.test_child:told_to_it", None)
    with Readers(2, loaded=loaded) as readers:
        assert readers.submit(path, then=then).result()[0] is None
        readers.tell({"月": 10})
        told = [answer.result() for answer in [readers.submit(path, then=then) for _ in range(6)]]
        assert all(value == {"月": 10} for value, _ in told)
        os.kill(told[0][1], signal.SIGKILL)
        wait_for_end(told[0][1])
        deadline = time.monotonic() + 10  # its threads may outlast it: until they have ended it cannot be waited for
        while (
            any(one._process.pid == told[0][1] and one.alive() for one in readers._all) and time.monotonic() < deadline
        ):
            time.sleep(0.01)
        assert {readers.submit(path, then=then).result()[0]["月"] for _ in range(3)} == {10}


def told_to_it(_: object, __: object, told: object) -> tuple[object, int]:
    return told, os.getpid()


class Large:
    """Something to be told that says how often it was packed."""

    def __init__(self, content: str) -> None:
        self.content, self.packed = content, 0

    def __reduce__(self) -> tuple[object, ...]:
        self.packed += 1
        return Large, (self.content,)


def content_of_told(_: object, __: object, told: list[Large]) -> tuple[str, int]:
    return told[0].content, os.getpid()


def test_what_a_forked_reader_has_already_is_only_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forked, content = forks(monkeypatch), Large("政策")
    path, then = small(tmp_path / "a.xlsx"), ("tests.tabular.test_child:content_of_told", None)
    with Readers(1, loaded=True, at_hand=(content,)) as readers:
        readers.tell([content])
        said, pid = readers.submit(path, then=then).result()
        assert said == "政策" and content.packed == (0 if forked else 1)
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
        assert (
            readers.submit(path, then=then).result()[0] == "政策" and content.packed == 1
        )  # by the one that took its place


def test_readers_that_were_dismissed_are_followed_by_others(tmp_path: Path, readers: Readers) -> None:
    first = process(readers)
    readers.dismiss()
    wait_for_end(first)
    assert readers.submit(small(tmp_path / "a.xlsx")).result().sheets[0].height == 3


@pytest.mark.skipif(sys.platform != "linux", reason="no fork here")
def test_a_forked_reader_keeps_nothing_open_of_the_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forks(monkeypatch)
    with (tmp_path / "lock").open("w"), Readers(2, loaded=True) as readers:
        for one in readers._all:
            assert one.ready()
            folder = Path(f"/proc/{one._process.pid}/fd")
            open_files = {number.name: str(number.readlink()) for number in folder.iterdir()}
            assert str(tmp_path / "lock") not in open_files.values() and len(open_files) <= 5, open_files


def height_and_process(book, argument: int, _: object) -> tuple[int, int, int]:  # type: ignore[no-untyped-def]
    return book.sheets[0].height, argument, os.getpid()


def test_passwords_known_later(tmp_path: Path, readers: Readers) -> None:
    msoffcrypto = pytest.importorskip("msoffcrypto.format.ooxml")
    small(tmp_path / "plain.xlsx")
    with (tmp_path / "plain.xlsx").open("rb") as plain, (tmp_path / "a.xlsx").open("wb") as out:
        msoffcrypto.OOXMLFile(plain).encrypt("密码1", out)
    readers.expect([tmp_path / "a.xlsx"])
    with pytest.raises(DataError) as refused:
        readers.get(tmp_path / "a.xlsx")
    assert refused.value.code == ENCRYPTED
    readers.expect([tmp_path / "a.xlsx"])
    assert readers.get(tmp_path / "a.xlsx", ["错", "密码1"]).sheets[0].height == 3


@posix
def test_killed_in_the_middle(tmp_path: Path, slow: Path, readers: Readers) -> None:
    good, path = small(tmp_path / "好.xlsx"), slow
    readers.expect([good, path])
    assert readers.get(good).sheets[0].height == 3
    killed = process(readers)
    time.sleep(0.3)
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(DataError, match=r"慢.*读到一半") as refused:
        readers.get(path)
    assert refused.value.todo and refused.value.code == "reader_ended"
    assert readers.get(good).sheets[0].height == 3 and process(readers) != killed


@posix
def test_killed_while_idle(tmp_path: Path, readers: Readers) -> None:
    path = small(tmp_path / "a.xlsx")
    readers.get(path)
    killed = process(readers)
    os.kill(killed, signal.SIGKILL)
    while is_alive(killed):
        time.sleep(0.01)
    time.sleep(0.1)
    assert readers.get(path).sheets[0].height == 3


LITTLE = """
    import sys
    from pathlib import Path
    from jiuzhu_cli.core.errors import DataError
    from jiuzhu_cli.tabular import guard, read
    from jiuzhu_cli.tabular.child import Readers

    with Readers(memory=24 << 20, loaded={loaded}) as readers:
        try:
            readers.get(Path(sys.argv[1]))
        except DataError as error:
            print(error.message)
        print(readers.get(Path(sys.argv[2])).sheets[0].height)
"""


@posix
def test_out_of_memory(tmp_path: Path, loaded: bool) -> None:
    """In a process of its own: a fork would have the memory that this one holds ready."""
    path = large(tmp_path / "大.xlsx", 200_000)
    code = textwrap.dedent(LITTLE).format(loaded=loaded)
    command = [sys.executable, "-c", code, str(path), str(small(tmp_path / "小.xlsx"))]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert re.search("大.*(内存不够|中断)", said[0]) and said[1:] == ["3"]


@posix
def test_out_of_time(tmp_path: Path, slow: Path, loaded: bool) -> None:
    with Readers(seconds=0.4, loaded=loaded) as readers:
        begun = time.monotonic()
        with pytest.raises(DataError, match="0 秒还没有读完"):
            readers.get(slow)
        assert time.monotonic() - begun < 30
        assert readers.get(small(tmp_path / "a.xlsx")).sheets[0].height == 3


def test_a_file_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: bool) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names")
    os.mkfifo(tmp_path / "管道.csv")  # opening it blocks: no processor time passes
    monkeypatch.setattr(child, "_PATIENCE", 1)
    with Readers(seconds=1, loaded=loaded) as readers:
        with pytest.raises(DataError, match="还没有读完"):
            readers.get(tmp_path / "管道.csv")
        assert readers.get(small(tmp_path / "a.xlsx")).sheets[0].height == 3


@posix
def test_a_cell_that_makes_the_bare_reader_abort(tmp_path: Path, readers: Readers) -> None:
    data = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    path = raw_xlsx(tmp_path / "远.xlsx", sheet_xml(data))
    with pytest.raises(DataError, match="XFD1048576"):
        readers.get(path)
    answer = readers.submit(small(tmp_path / "b.xlsx"), then=("tests.tabular.test_child:bare", str(path)))
    with pytest.raises(DataError, match=r"中断|内存"):  # what happens where no guard sees it coming
        answer.result()
    assert readers.get(small(tmp_path / "a.xlsx")).sheets[0].height == 3


def bare(_: object, path: str, __: object) -> int:
    from python_calamine import CalamineWorkbook

    return len(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False))


PARENT = """
    import sys, time
    from pathlib import Path
    from jiuzhu_cli.tabular.child import Readers

    readers = Readers(2, loaded={loaded})
    readers.expect([Path(sys.argv[1]), Path(sys.argv[2])])
    print(*[one._process.pid for one in readers._all], flush=True)
    {then}
"""


def parent(tmp_path: Path, slow: Path, then: str, loaded: bool) -> tuple[subprocess.Popen[str], list[int]]:
    code = textwrap.dedent(PARENT).format(then=then, loaded=loaded)
    (tmp_path / "b.xlsx").hardlink_to(slow)
    command = [sys.executable, "-c", code, str(slow), str(tmp_path / "b.xlsx")]
    environment = os.environ | {"TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    one = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert one.stdout is not None
    return one, [int(pid) for pid in one.stdout.readline().split()]


@posix
def test_parent_killed_leaves_no_orphan_and_no_file(tmp_path: Path, slow: Path, loaded: bool) -> None:
    one, pids = parent(tmp_path, slow, "time.sleep(60)", loaded)
    time.sleep(1)
    assert len(pids) == 2 and all(map(is_alive, pids))
    one.kill()
    one.wait()
    for pid in pids:
        wait_for_end(pid)
    assert not any((tmp_path / "temporary").iterdir())


@posix
def test_ctrl_c_ends_the_children_without_a_word(tmp_path: Path, slow: Path, loaded: bool) -> None:
    then = "try:\n    print('reading', flush=True); readers.get(Path(sys.argv[1]))\n"
    then += "except KeyboardInterrupt:\n    readers.close(); sys.exit(130)"
    one, pids = parent(tmp_path, slow, then, loaded)
    assert one.stdout is not None and one.stdout.readline() == "reading\n"
    time.sleep(0.2)
    one.send_signal(signal.SIGINT)
    _, said = one.communicate(timeout=20)
    assert one.returncode == 130 and said == ""
    for pid in pids:
        wait_for_end(pid)


@posix
def test_close_does_not_wait_for_a_long_file(slow: Path, loaded: bool) -> None:
    begun = time.monotonic()
    with Readers(loaded=loaded) as readers:
        readers.expect([slow])
        pid = process(readers)
        time.sleep(0.5)
    assert time.monotonic() - begun < 5
    wait_for_end(pid)


@pytest.mark.parametrize("interpreter", ["", "/nowhere/python"])
def test_where_no_process_can_be_started_it_is_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: str
) -> None:
    monkeypatch.setattr(sys, "executable", interpreter)
    with Readers(2) as readers:
        assert not readers._all and readers.get(small(tmp_path / "a.xlsx")).sheets[0].height == 3


def test_a_program_that_is_no_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false" if os.name == "posix" else sys.executable)
    with Readers() as readers:
        assert readers.get(small(tmp_path / "a.xlsx")).sheets[0].height == 3


def test_columns_come_as_vectors(tmp_path: Path, readers: Readers) -> None:
    (tmp_path / "a.csv").write_text("甲,乙\n1,\n", encoding="utf-8")
    column = readers.get(tmp_path / "a.csv").sheets[0].columns[1]
    assert isinstance(column, Column) and column._cells is None and list(column) == ["乙", None]


def test_readers_tell_how_far_they_have_come(tmp_path: Path) -> None:
    """Of a large workbook, by bytes and rows, on the way; of small ones nothing: they are read before anybody looks."""
    import xlsxwriter

    for name, height in (("large", 120_000), ("small", 100)):
        book = xlsxwriter.Workbook(
            str(tmp_path / f"{name}.xlsx"), {"constant_memory": True, "strings_to_strings": False}
        )
        sheet = book.add_worksheet()
        for row in range(height):
            sheet.write_row(row, 0, [f"甲{row}", *range(row, row + 8)])
        book.close()
    seen: list[tuple[str, float, int]] = []
    with Readers(1) as readers:
        readers.watch = lambda path, share, rows: seen.append((path.stem, share, rows))
        assert readers.get(tmp_path / "small.xlsx").sheets[0].height == 100
        assert readers.get(tmp_path / "large.xlsx").sheets[0].height == 120_000
    assert {name for name, *_ in seen} == {"large"} and len(seen) >= 10
    shares, rows = [share for _, share, _ in seen], [count for *_, count in seen]
    assert shares == sorted(shares) and 0 < shares[0] < 0.2 and shares[-1] > 0.95
    assert rows == sorted(rows) and 0 < rows[-1] <= 120_000
