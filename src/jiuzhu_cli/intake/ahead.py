"""Files read ahead of their turn by readers; where several processes read, they also judge small files.

Judging depends on nothing but its arguments, so it may run anywhere; only the full names of towns that are known grow while
the files are taken in. Files that were judged before a further name became known are judged again.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.intake.find import words_of
from jiuzhu_cli.intake.job import Job, Setting, Supplemented, blank_job, is_named, judge, read_job
from jiuzhu_cli.intake.light import lighten
from jiuzhu_cli.intake.remainder import known_remainder
from jiuzhu_cli.intake.sources import Source
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.cells import Workbook
from jiuzhu_cli.tabular.child import Readers
from jiuzhu_cli.tabular.secret import ENCRYPTED, Secrets
from jiuzhu_cli.tabular.sniff import TABLES

SMALL = 2 << 20  # bytes: a larger file is only read elsewhere, because its rows would have to come over as well
A_FEW = 3  # so many files: for fewer it is not worth that a reader learns to judge
# Files on their way, for each reader, and bytes in all. The more, the less a reader waits while files are being saved; but
# they may have to be judged again when a further town becomes known, so that the window grows only while none does
WINDOW_FILES, WIDEST_WINDOW, WINDOW_BYTES = 8, 128, 32 << 20
_ONLY_READ = -1
_THEN = "jiuzhu_cli.intake.ahead:judged_here"


@dataclass(slots=True)
class _Begun:
    future: Future[Any]
    root: Path
    size: int
    towns: int  # how many were known when it was judged, or ``_ONLY_READ``


class Ahead:
    """The files of one import in their order, those that belong together in one group. ``towns``: the full names of towns known by now."""

    def __init__(
        self,
        groups: Sequence[Sequence[Source]],
        setting: Setting,
        secrets: Secrets,
        readers: Readers,
        towns: Callable[[], Sequence[str]],
    ) -> None:
        self._setting, self._secrets, self._readers, self._towns = setting, secrets, readers, towns
        worth = [source for group in groups for source in group if source[0].suffix.lower() in TABLES]
        self._paired = {path for group in groups if len(group) > 1 for path, _ in group}
        # so much that the rows go into the record as vectors
        self.large = sum(_size(path) for path, _ in worth) > SMALL
        judging = readers.workers > 1 and len(worth) >= A_FEW
        if judging:
            readers.tell(setting)
        self._coming = deque(worth if judging else ())
        self._begun: dict[Path, _Begun] = {}
        self._bytes = 0  # of the files on their way
        self._window = WINDOW_FILES * readers.workers
        if judging:
            self._advance()
        else:
            readers.expect([path for path, _ in worth], secrets.known)

    def job(self, path: Path, root: Path, supplemented: Callable[[Workbook], Supplemented | None]) -> Job:
        """The file read and judged by what is known now, as ``read_job``; files are asked for in their order."""
        towns = self._towns()
        begun = self._begun.get(path)
        if begun is not None and begun.towns not in (_ONLY_READ, len(towns)):
            self._begin_again(len(towns))
            begun = self._begun.get(path)
        if begun is not None and begun.towns == len(towns):
            found = None
            with contextlib.suppress(DataError):  # raised again where the file is read
                found = begun.future.result()
            if isinstance(found, Job):
                self._window = min(self._window + 2, WIDEST_WINDOW * self._readers.workers)
                self._done(path)
                return found
        return read_job(path, root, self._setting, self._read, supplemented, known=towns)

    def _read(self, path: Path) -> Workbook:
        return self._secrets.unlock(path, lambda passwords: self._open(path, passwords))

    def _open(self, path: Path, passwords: Sequence[str]) -> Workbook:
        if (begun := self._begun.get(path)) is None:
            book: Workbook = self._readers.get(path, passwords)
            return book
        try:
            found: Workbook = begun.future.result()
        except DataError as error:
            if error.code != ENCRYPTED or not passwords:
                raise
            found = self._readers.submit(path, passwords).result()  # more passwords are known than when it was begun
        finally:
            self._done(path)
        return found

    def _begin_again(self, towns: int) -> None:
        """Has the files judged again of which some were judged when fewer towns were known."""
        stale = [path for path, begun in self._begun.items() if begun.towns not in (_ONLY_READ, towns)]
        for path in reversed(stale):
            begun = self._drop(path)
            begun.future.cancel()
            self._coming.appendleft((path, begun.root))
        self._window = WINDOW_FILES * self._readers.workers
        self._advance()

    def _done(self, path: Path) -> None:
        self._drop(path)
        self._advance()

    def _drop(self, path: Path) -> _Begun:
        begun = self._begun.pop(path)
        self._bytes -= begun.size
        return begun

    def _advance(self) -> None:
        """Begins further files, a bounded number of them."""
        while self._coming and len(self._begun) < self._window:
            path, root = self._coming[0]
            size = _size(path)
            if self._begun and self._bytes + size > WINDOW_BYTES:
                return
            self._coming.popleft()
            towns = self._towns()
            then = (_THEN, (path, root, towns, path in self._paired)) if size <= SMALL else None
            future = self._readers.submit(path, self._secrets.known, then)
            if path in self._begun:  # named twice
                self._drop(path)
            self._bytes += size
            self._begun[path] = _Begun(future, root, size, len(towns) if then else _ONLY_READ)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def ready_to_judge(policy: Policy) -> None:
    """Loads what judging a file needs: for readers forked from here, and while a large file is being read."""
    import jiuzhu_cli.tabular.guard
    import jiuzhu_cli.tabular.read  # noqa: F401

    words_of(policy)
    for part in ("programmes", "registers", "glossary", "parameters", "divisions", "bank_names", "findings"):
        getattr(policy, part)


def judged_here(book: Workbook, asked: tuple[Path, Path, Sequence[str], bool], setting: Setting) -> Job | Workbook:
    """What a reader process makes of a workbook: the judged file, ``light`` if may be; the workbook where only the record can tell."""
    path, root, known, paired = asked
    if known_remainder(book):
        return book
    job = blank_job(path, root)
    judge(job, root, book, setting, known=known, named=is_named(path, root, setting))
    if not paired:  # two files are joined by what stands in their cells
        lighten(job)
    return job
