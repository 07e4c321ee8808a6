"""The other side of ``child``: a process that reads the files it is told of, bounded by the system, and answers."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import queue
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.lean import put_stand_ins, without, without_masked
from jiuzhu_cli.tabular.frames import Failure, Progress, Told, receive, send, send_book

if TYPE_CHECKING:
    from jiuzhu_cli.tabular.guard import Watch


def read(
    path: Path,
    passwords: tuple[str, ...],
    then: tuple[str, Any] | None,
    told: Any,
    watch: Watch | None = None,
    early: int | None = None,
) -> Any:
    """The workbook at ``path``, or what the function named by ``then`` makes of it, the argument beside its name and what was told.

    ``early``: where it lies, read already (see ``early``).
    """
    from jiuzhu_cli.tabular.early import read_early
    from jiuzhu_cli.tabular.read import read_workbook

    book = read_workbook(path, passwords=passwords, watch=watch) if early is None else read_early(early)
    if then is None:
        return book
    module, _, function = then[0].partition(":")
    return getattr(importlib.import_module(module), function)(book, then[1], told)


def load_reader() -> None:
    """Loads what reading a large workbook needs; a reader that is forked afterwards has it."""
    import jiuzhu_cli.tabular.guard
    import jiuzhu_cli.tabular.read  # noqa: F401

    without_masked()


def serve(memory: int, at_hand: tuple[Any, ...] = ()) -> None:
    """Answers until the input ends. ``memory``: bytes of address space that reading may take beyond the process itself.

    ``at_hand``: what the forked process holds of what it will be told.
    """
    for number in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, number):  # the parent ends us, and says what is to be said
            signal.signal(getattr(signal, number), signal.SIG_IGN if number == "SIGINT" else signal.SIG_DFL)
    output = os.fdopen(os.dup(1), "wb", buffering=0)
    with Path(os.devnull).open("wb") as nothing:  # a library's word must not get between the answers
        os.dup2(nothing.fileno(), 1)
    asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    without("pandas")
    put_stand_ins()
    load_reader()
    gc.set_threshold(100_000, 50, 100)  # cells hold no cycles, and looking for some takes a tenth of the time
    limit_memory(memory)
    with contextlib.suppress(BrokenPipeError):
        send(output, "ready")
        told = Told(b"")
        while True:
            message = asked.get()
            if isinstance(message, Told):
                told = Told(message.pickled, at_hand)
            else:
                _answer(output, told, *message)


def _answer(
    output: Any,
    told: Told,
    path: Path,
    passwords: tuple[str, ...],
    then: tuple[str, Any] | None,
    seconds: float,
    early: int | None,
) -> None:
    from jiuzhu_cli.tabular.cells import Workbook

    _limit_time(seconds)
    try:
        value = read(
            path,
            passwords,
            then,
            told.value if then else None,
            lambda share, rows: send(output, Progress(share, rows)),
            early,
        )
    except MemoryError:
        value = Failure.of(_no_memory(path))
    except RuntimeError as error:
        value = Failure.of(_no_memory(path) if "thread" in str(error) else error)
    except Exception as error:
        value = Failure.of(error)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        value = Failure.of(DataError(f"“{path.name}”读不出来，可能已损坏", "若能打开，另存为 .xlsx 后再导入"))
    send_book(output, value) if isinstance(value, Workbook) else send(output, value)


def _no_memory(path: Path) -> DataError:
    return DataError(
        f"“{path.name}”太大，读到一半时内存不够，没有导入",
        "删去用不着的工作表、空白行列和图片，或拆成几个文件再导入",
        code="reader_ended",
    )


def _listen(asked: queue.SimpleQueue[Any]) -> None:
    """Takes what is asked; when the parent is gone, nobody wants an answer any more."""
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    try:
        while True:
            asked.put(receive(source))
    except (EOFError, OSError):
        os._exit(0)


def limit_memory(memory: int) -> None:
    """Bounds the address space of this process to what it has and ``memory`` bytes more, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + memory
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limit if most < 0 else min(limit, most), most))


def _limit_time(seconds: float) -> None:
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        soft = int(time.process_time() + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft if most < 0 else min(soft, most), most))
