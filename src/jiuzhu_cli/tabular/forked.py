"""A reader forked from this process: what is loaded here is loaded there. Used like a ``subprocess.Popen``.

Linux only: elsewhere system libraries do not outlive a fork. Never from a process with several threads, whose locks may be
held by those that are not copied.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

_PIPE = 1 << 20  # bytes that a reader may have answered before they are taken: those of a small file
HELD = 3  # the descriptor of what is held for a reader
_SHORTEST, _LONGEST = 0.001, 0.02  # seconds between two looks whether it has ended
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt


def can_fork() -> bool:
    """Whether a copy of this process would be sound."""
    return sys.platform == "linux" and threading.active_count() == 1


class Forked:
    """A child that runs ``reader.serve(memory)``; ``stdin`` and ``stdout`` are its ends of the pipes here. OSError when it cannot be made.

    ``held``: a descriptor that it keeps as ``early.HELD``; ``at_hand``: see ``frames.Told``.
    """

    def __init__(self, memory: int, held: int | None = None, at_hand: tuple[Any, ...] = ()) -> None:
        import fcntl

        asked, asking = os.pipe()
        answers, answering = os.pipe()
        with contextlib.suppress(OSError):  # no more than the system grants
            fcntl.fcntl(answering, fcntl.F_SETPIPE_SZ, _PIPE)
        self.returncode: int | None = None
        self._lock = threading.Lock()
        try:
            self.pid = os.fork()
        except OSError:
            for end in (asked, asking, answers, answering):
                os.close(end)
            raise
        if self.pid == 0:
            _become_reader(asked, answering, memory, held, at_hand)
        os.close(asked)
        os.close(answering)
        self.stdin, self.stdout = os.fdopen(asking, "wb", buffering=0), os.fdopen(answers, "rb", buffering=0)

    def poll(self) -> int | None:
        """The return code as of ``Popen``, None while it runs."""
        with self._lock:
            if self.returncode is None:
                with contextlib.suppress(ChildProcessError):
                    pid, status = os.waitpid(self.pid, os.WNOHANG)
                    if pid:
                        self.returncode = os.waitstatus_to_exitcode(status)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end; ``subprocess.TimeoutExpired`` when it does not come in ``timeout`` seconds.

        Without ``timeout`` only of one that has been killed: nobody else can look at it meanwhile.
        """
        if timeout is None:
            with self._lock:
                if self.returncode is None:
                    self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                return self.returncode
        until = time.monotonic() + timeout
        pause = _SHORTEST
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("reader", timeout)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
        return code

    def kill(self) -> None:
        with self._lock:
            if self.returncode is None:
                os.kill(self.pid, signal.SIGKILL)


def keep_memory() -> None:
    """Memory that one small file took is kept for the next: asking the system for it anew takes a tenth of the time."""
    import ctypes

    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    with contextlib.suppress(OSError, AttributeError):  # another C library
        allocator = ctypes.CDLL(None)
        allocator.mallopt(_M_MMAP_THRESHOLD, 16 << 20)
        allocator.mallopt(_M_TRIM_THRESHOLD, 64 << 20)


def keep_only(first: int, second: int, held: int | None) -> None:
    """In a child: of the parent's open files it keeps these, as 0, 1 and ``HELD``; not the ledger's lock, nor other readers' pipes."""
    os.dup2(first, 0)
    os.dup2(second, 1)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    if held is not None:
        os.dup2(held, HELD)
    os.closerange(HELD if held is None else HELD + 1, os.sysconf("SC_OPEN_MAX"))


def _become_reader(asked: int, answering: int, memory: int, held: int | None, at_hand: tuple[Any, ...]) -> None:
    """In the child: nothing of the parent's is kept but the loaded program. Does not return."""
    try:
        os.setsid()  # a session of its own: Ctrl-C reaches only the parent, who ends it
        keep_only(asked, answering, held)
        gc.freeze()  # what is loaded stays; looking at it would only copy its pages
        gc.enable()
        keep_memory()
        from jiuzhu_cli.tabular.reader import serve

        serve(memory, at_hand)
    finally:
        os._exit(1)  # what the parent has begun is not for the child to end
