"""Small workbooks read while the program that will judge them still loads: by a process of its own, into a file without a name.

Loading takes as long as reading fifty of them, and one core would idle. What has been read when the readers are forked they
find there; the rest they read themselves. Where a process cannot be forked nothing is read early.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import struct
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jiuzhu_cli.tabular.files import files_below
from jiuzhu_cli.tabular.forked import HELD, keep_memory, keep_only
from jiuzhu_cli.tabular.frames import receive, send

MOST = 256  # files
SMALL = 2 << 20  # bytes of a file
ROOM = 128 << 20  # bytes of what has been read
_DONE = struct.Struct("<IQ")  # number of the file, where its workbook begins; written when all of it is there


def likely_first(paths: Iterable[Path], own: Path) -> list[Path]:
    """The first small xlsx files at ``paths`` and below, in the order in which an import takes them; nothing of ``own``."""
    found: list[Path] = []
    for path in paths:
        for file in files_below(path, own.resolve()) if path.is_dir() else [path]:
            if len(found) == MOST:
                return found
            with contextlib.suppress(OSError):
                if file.suffix.lower() == ".xlsx" and file.stat().st_size <= SMALL:
                    found.append(file)
    return found


class Early:
    """Reads ``paths`` until ``stop``. OSError when there can be no process."""

    def __init__(self, paths: Sequence[Path], memory: int) -> None:
        self._paths = paths
        self.file = os.memfd_create("jiuzhu")
        self._told, telling = os.pipe()
        living, self._life = os.pipe()  # ends with this process, however it ends
        try:
            self._pid = os.fork()
        except OSError:
            for end in (self.file, self._told, telling, living, self._life):
                os.close(end)
            raise
        if self._pid == 0:
            _read_on(paths, living, telling, self.file, memory)
        os.close(telling)
        os.close(living)

    def stop(self) -> dict[Path, int]:
        """Ends the process; where in ``file`` the workbook of each path begins that it has read."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._life)
        with os.fdopen(self._told, "rb") as told:
            data = told.read()
        whole = len(data) - len(data) % _DONE.size
        return {self._paths[number]: begin for number, begin in _DONE.iter_unpack(data[:whole])}


def read_early(begin: int) -> Any:
    """The workbook that stands there; in a reader that was forked with the file."""
    return receive(_At(begin))


class _At:
    """The file from ``place`` on. Every reader has its own, because the descriptor's place is one for all."""

    def __init__(self, place: int) -> None:
        self._place = place

    def readinto(self, view: Any) -> int:
        got = os.preadv(HELD, [view], self._place)
        self._place += got
        return got


def _read_on(paths: Sequence[Path], living: int, telling: int, held: int, memory: int) -> None:
    """In the child. Does not return."""
    try:
        os.setsid()  # a session of its own: Ctrl-C reaches only the parent, who ends it
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        keep_only(living, telling, held)
        gc.disable()
        keep_memory()
        threading.Thread(target=_end_with_the_parent, daemon=True).start()
        _read_all(paths, memory)
    finally:
        os._exit(0)


def _end_with_the_parent() -> None:
    os.read(0, 1)
    os._exit(0)


def _read_all(paths: Sequence[Path], memory: int) -> None:
    from jiuzhu_cli.tabular.read import read_workbook
    from jiuzhu_cli.tabular.reader import limit_memory

    limit_memory(memory)
    with os.fdopen(HELD, "wb", buffering=0) as held:
        for number, path in enumerate(paths):
            begin = held.tell()
            if begin > ROOM:
                return
            try:
                book = read_workbook(path)
                for sheet in book.sheets:
                    sheet.columns = [column.as_vectors() for column in sheet.columns]
                send(held, book)  # all of it at once: it is small
            except Exception:  # the reader whose turn it is says what is wrong with the file
                continue
            os.write(1, _DONE.pack(number, begin))
