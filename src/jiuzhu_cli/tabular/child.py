"""Reading in child processes: bounded in memory and time, started early, used for file after file.

A damaged or hostile file may make a reader abort, swallow the memory or never end: then only the child is gone, the file is
refused with a reason, and the next file gets a new child. The child is this program again (``reader.serve``); it is told of
files on its standard input and answers on its standard output; nothing is written to the disk. When the parent ends, however
it ends, the child's input ends, and so does the child.

Where the system can fork, readers for many files are forked from the loaded program: they need not load it again.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.forked import Forked, can_fork
from jiuzhu_cli.tabular.frames import Failure, Progress, Told, receive, send
from jiuzhu_cli.tabular.secret import ENCRYPTED

if TYPE_CHECKING:
    from jiuzhu_cli.tabular.early import Early

READER_WORD = "__read__"  # the hidden first argument that makes the program a reader
MEMORY = 3 << 30  # bytes of address space beyond what the started reader has
SECONDS, SECONDS_PER_MB = 120, 10  # of processor time for a file
_PATIENCE = 4  # so many times longer it may take by the clock
_LOOK = 0.2  # seconds between two looks at the clock
_AHEAD_BYTES = 32 << 20  # of files that wait, read but not yet asked for
_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"

# "module:function" of ours and an argument: the function is called with the workbook, it and what the readers were told
Then = tuple[str, Any]


class Readers:
    """Reader processes, ``workers`` of them; as a context manager they end with it.

    ``memory``: bytes, ``seconds``: processor time, for each file. ``loaded``: this program has loaded what judging needs and
    has one thread, so that its first readers are forked where that can be; those that take the place of dead ones are
    started anew. Where no process can be started files are read in this one. ``early`` has been reading, and goes on until
    the first file is asked for: the forked readers take what it has read. ``at_hand``: large parts of what will be told,
    which forked readers have already.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        memory: int = MEMORY,
        seconds: float = 0,
        loaded: bool = False,
        early: Early | None = None,
        at_hand: tuple[Any, ...] = (),
    ) -> None:
        self._memory, self._seconds, self._at_hand = memory, seconds, at_hand
        self._value: Any = None  # what was told, and as it goes to readers that were forked, and to the others
        self._told: dict[bool, Told] = {}
        self.watch: Callable[[Path, float, int], None] | None = None  # told how far readers have come: share, rows
        self._workers = max(workers, 1)
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="read")
        self._idle: deque[_Child] = deque()
        self._all: list[_Child] = []
        self._lock = threading.Lock()
        self._in_process = workers < 1
        self._closed = False
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look_after, name="watch", daemon=True)
        self._coming: deque[tuple[Path, tuple[str, ...]]] = deque()
        self._ahead: dict[Path, tuple[Future[Any], tuple[str, ...], int]] = {}
        self._early, self._read_early = early, dict[Path, int]()
        for _ in range(workers):
            if (child := self._start(forked=loaded and can_fork(), held=early.file if early else None)) is not None:
                self._idle.append(child)
        if early is not None:
            os.close(early.file)

    @property
    def workers(self) -> int:
        """Files that are read at the same time."""
        return self._workers

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the children at once, whatever they do."""
        with self._lock:
            self._closed = True
            children, self._all = self._all, []
        self._ended.set()
        self._stop_early()
        for child in children:
            child.end()
        for child in children:
            child.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def tell(self, value: Any) -> None:
        """What the functions that workbooks are given to shall know from now on; it goes to each reader once."""
        self._value, self._told = value, {}

    def submit(self, path: Path, passwords: Sequence[str] = (), then: Then | None = None) -> Future[Any]:
        """What ``read_workbook`` gives, or what ``then`` makes of it (in the child); it raises what they raise.

        DataError, too, when the reader died over the file. Files are begun in the order of asking.
        """
        self._stop_early()
        return self._pool.submit(self._read, path, tuple(passwords), then)

    def _stop_early(self) -> None:
        if self._early is not None:
            early, self._early = self._early, None
            self._read_early = early.stop()

    def expect(self, paths: Iterable[Path], passwords: Sequence[str] = ()) -> None:
        """Files that will be asked for by ``get`` in this order, in place of any told before; a few of them are read ahead."""
        wanted = dict.fromkeys(paths)
        for path in self._ahead.keys() - wanted.keys():
            self._ahead.pop(path)[0].cancel()
        self._coming = deque((path, tuple(passwords)) for path in wanted if path not in self._ahead)
        self._advance()

    def get(self, path: Path, passwords: Sequence[str] = ()) -> Any:
        """The workbook at ``path``, as ``submit``. Files expected before it and not asked for are given up."""
        if path not in self._ahead and any(path == one for one, _ in self._coming):
            while self._coming.popleft()[0] != path:
                pass
        future, known, _ = self._ahead.pop(path, (None, (), 0))
        fresh = future or self.submit(path, passwords)
        self._advance()
        try:
            book = fresh.result()
            if future is not None and not (self._ahead or self._coming):
                self.dismiss()
            return book
        except DataError as error:
            if future is None or error.code != ENCRYPTED or known == tuple(passwords):
                raise
        return self.submit(path, passwords).result()  # other passwords are known by now

    def dismiss(self) -> None:
        """Ends the readers that wait: all that was expected is read, and what they have touched of the memory is wanted here.

        Should there be more to read all the same, others are started.
        """
        while (child := self._take()) is not None:
            self._pool.submit(child.kill)

    def _advance(self) -> None:
        waiting = sum(size for *_, size in self._ahead.values())
        while self._coming and len(self._ahead) <= self._workers:
            path, passwords = self._coming[0]
            size = _size(path)
            if self._ahead and waiting + size > _AHEAD_BYTES:
                return
            self._coming.popleft()
            self._ahead[path] = self.submit(path, passwords), passwords, size
            waiting += size

    def _start(self, *, forked: bool = False, held: int | None = None) -> _Child | None:
        """A new child; None when there can be none."""
        if self._in_process or self._closed:
            return None
        try:
            child = _Child(self._memory, forked=forked, held=held, at_hand=self._at_hand)
        except OSError:
            self._in_process = True
            return None
        with self._lock:
            if self._closed:
                child.kill()
            self._all.append(child)
        return child

    def _look_after(self) -> None:
        """Ends readers that take too long by the clock; one thread for all, because starting one costs as much as a small file."""
        while not self._ended.wait(_LOOK):
            for child in list(self._all):
                child.end_if_late()

    def _take(self) -> _Child | None:
        """A child that has nothing to do."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                child = self._idle.popleft()
            if child.alive():
                return child
            child.kill()

    def _read(self, path: Path, passwords: tuple[str, ...], then: Then | None) -> Any:
        child = self._take() or self._start()
        if child is None or not child.ready():
            if child is not None:
                child.kill()
            if self._closed:
                raise CancelledError
            self._in_process = True
            from jiuzhu_cli.tabular.reader import read

            return read(path, passwords, then, self._value)
        with self._lock:
            if not self._watch.is_alive() and not self._closed:
                self._watch.start()
        limit = self._seconds or SECONDS + SECONDS_PER_MB * (_size(path) >> 20)
        try:
            early = self._read_early.pop(path, None) if child.holds else None
            answer = child.ask(path, passwords, then, limit, early, self._told_to(child), self._seen)
        except (OSError, EOFError):
            reason = child.reason(path.name, limit)
            raise DataError(*reason, code="reader_ended") from None
        finally:
            if child.alive():
                with self._lock:
                    self._idle.append(child)
            else:
                child.kill()
        if isinstance(answer, Failure):
            raise answer.error()
        return answer

    def _told_to(self, child: _Child) -> Told:
        with self._lock:
            if child.forked not in self._told:
                self._told[child.forked] = Told.of(self._value, self._at_hand if child.forked else ())
            return self._told[child.forked]

    def _seen(self, path: Path, share: float, rows: int) -> None:
        if self.watch is not None:
            self.watch(path, share, rows)


class _Child:
    """One process. Not for several threads at once."""

    def __init__(
        self, memory: int, *, forked: bool = False, held: int | None = None, at_hand: tuple[Any, ...] = ()
    ) -> None:
        self._process = Forked(memory, held, at_hand) if forked else _started(memory)
        self.forked = forked
        self.holds = forked and held is not None  # what was read early
        self._told: Told | None = None
        self._greeted = self._late = self._ended = False
        self._until = math.inf  # when it is given up, by the clock

    def ready(self) -> bool:
        """Whether it has started; waits for it."""
        if not self._greeted:
            try:
                self._greeted = receive(self._output) == "ready"
            except (OSError, EOFError):
                return False
        return self._greeted

    @property
    def _output(self) -> Any:
        return self._process.stdout

    def ask(
        self,
        path: Path,
        passwords: tuple[str, ...],
        then: Then | None,
        limit: float,
        early: int | None,
        told: Told,
        seen: Callable[[Path, float, int], None],
    ) -> Any:
        """EOFError or OSError when it ends before it has answered."""
        self._until = time.monotonic() + limit * _PATIENCE
        try:
            if then is not None and told is not self._told:
                send(self._process.stdin, told)
                self._told = told
            send(self._process.stdin, (path, passwords, then, limit, early))
            while isinstance(answer := receive(self._output), Progress):
                seen(path, answer.share, answer.rows)
            return answer
        except (OSError, EOFError):
            self._ended = True
            raise
        finally:
            self._until = math.inf

    def end_if_late(self) -> None:
        """Ends it when the file that it has to read took longer than it may."""
        if time.monotonic() > self._until:
            self._late = True
            self._process.kill()

    def alive(self) -> bool:
        return not self._ended and not self._late and self._process.poll() is None

    def end(self) -> None:
        """Has it killed, without waiting for it."""
        self._ended = True
        with contextlib.suppress(OSError):
            self._process.kill()

    def kill(self) -> None:
        self.end()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process.wait()

    def reason(self, name: str, limit: float) -> tuple[str, str]:
        """Why it ended over the file ``name``: message and advice."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        if self._late or (hasattr(signal, "SIGXCPU") and self._process.returncode == -signal.SIGXCPU):
            return (
                f"“{name}”读了 {limit:.0f} 秒还没有读完，没有导入",
                f"删去用不着的工作表和空白行列；或{_RESAVE}",
            )
        return (
            f"“{name}”读到一半时读取程序中断，没有导入",
            f"请核对文件是否已损坏、机器内存是否够用；若能打开，{_RESAVE}",
        )


def _started(memory: int) -> subprocess.Popen[bytes]:
    """This program again, as a reader. OSError when it cannot be started."""
    if not sys.executable:
        raise OSError("no interpreter")
    frozen = getattr(sys, "frozen", False)
    command = [sys.executable, *([] if frozen else ["-m", "jiuzhu_cli"]), READER_WORD, str(memory)]
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    # a session of its own: Ctrl-C reaches only the parent, who ends it
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        creationflags=flags, start_new_session=os.name == "posix", bufsize=0,
    )  # fmt: skip


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
