"""What is read while the program loads is what readers would read, and nothing of it outlives the parent."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import openpyxl
import pytest

from jiuzhu_cli.tabular.early import SMALL, likely_first

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no fork here")

# in a process of its own: this one has threads
READ = """
    import sys, time
    from pathlib import Path
    from jiuzhu_cli.core.errors import DataError
    from jiuzhu_cli.tabular.child import MEMORY, Readers
    from jiuzhu_cli.tabular.early import Early, likely_first
    from jiuzhu_cli.tabular.read import read_workbook
    from jiuzhu_cli.tabular.reader import load_reader

    folder = Path(sys.argv[1])
    load_reader()
    early = Early(likely_first([folder], folder / "out"), MEMORY)
    time.sleep(float(sys.argv[2]))
    kept = folder / "kept"
    kept.mkdir()
    for path in folder.glob("[0-9].xlsx"):
        path.rename(kept / path.name)  # from here on only the one that was early has them
    with Readers(2, loaded=True, early=early) as readers:
        for number in range(4):
            path = folder / f"{number}.xlsx"
            try:
                found = readers.submit(path).result()
            except Exception as error:
                print(number, type(error).__name__)
                continue
            whole = read_workbook(kept / path.name)
            assert found.path == path and found.sha256 == whole.sha256
            assert [list(map(list, s.columns)) for s in found.sheets] == [list(map(list, s.columns)) for s in whole.sheets]
            print(number, found.sheets[0].height)
"""


def folder(tmp_path: Path) -> Path:
    for number in (0, 2, 3):
        book = openpyxl.Workbook()
        for row in range(number + 1):
            book.active.append([f"{number}", row, row / 3, None, "某村"])
        book.save(tmp_path / f"{number}.xlsx")
    (tmp_path / "1.xlsx").write_bytes(b"PK\x03\x04 broken")
    return tmp_path


def run(tmp_path: Path, seconds: float) -> list[str]:
    command = [sys.executable, "-c", textwrap.dedent(READ), str(folder(tmp_path)), str(seconds)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_readers_find_what_was_read_early_and_read_the_rest(tmp_path: Path) -> None:
    assert run(tmp_path, 3) == ["0 1", "1 OutsideError", "2 3", "3 4"]  # the broken one was left to its reader


def test_stopped_at_once_it_has_read_nothing_or_whole_workbooks(tmp_path: Path) -> None:
    assert all(line.endswith(("OutsideError", *"134")) for line in run(tmp_path, 0))


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "0.xlsx")  # never comes to an end
    code = """
        import sys, time
        from pathlib import Path
        from jiuzhu_cli.tabular.child import MEMORY
        from jiuzhu_cli.tabular.early import Early

        early = Early([Path(sys.argv[1])], MEMORY)
        print(early._pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "0.xlsx")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        pid = int(one.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        one.kill()
        one.wait()
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text():
            return
        time.sleep(0.05)
    pytest.fail("it lives on")


def test_only_small_workbooks_in_the_order_of_the_import(tmp_path: Path) -> None:
    for name in ("10月.xlsx", "9月.xlsx", "~$9月.xlsx", "名单.csv", "out/x.xlsx", "b/1.XLSX"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "大.xlsx").write_bytes(bytes(SMALL + 1))
    found = likely_first([tmp_path], tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["9月.xlsx", "10月.xlsx", "b/1.XLSX"]
