"""The line that tells how far an import has come: on a terminal's stderr, rewritten in place, gone when it is done."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from jiuzhu_cli.cli.context import shorten, text_width
from jiuzhu_cli.intake.meter import Meter

_EVERY = 0.5  # seconds
READING = 0.4  # of a large file's time; the rest goes to looking at its rows, the record and the annotated copy (docs/dev/house.md)
_CELLS = 10  # of the bar


class ProgressLine(Meter):
    """A context: the line appears with the first file and is wiped at the end, by Ctrl-C too.

    Time left is by bytes: what the files and the part of a file read so far took, for the bytes that are left. Of a large
    file a bar shows how much is read; the rest of its time goes to looking at its rows and taking them in.
    """

    def __init__(
        self,
        write: Callable[[str], object] = sys.stderr.write,
        clock: Callable[[], float] = time.monotonic,
        width: Callable[[], int] = lambda: shutil.get_terminal_size((80, 24)).columns,
    ) -> None:
        self._write, self._clock, self._width = write, clock, width
        self._sizes: dict[Path, int] = {}
        self._at: Path | None = None
        self._started = clock()
        self._done: set[Path] = set()
        self._within: dict[Path, tuple[float, int]] = {}
        self._done_bytes = self._rows = 0
        self._shown = 0  # columns on the screen
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._hidden = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ProgressLine:
        self._stop.clear()
        self._thread = threading.Thread(target=self._tick, name="progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)
        self._wipe()

    def start(self, files: Sequence[Path]) -> None:
        self._sizes, self._done, self._done_bytes, self._rows = {}, set(), 0, 0
        self._within.clear()
        for file in files:
            try:
                self._sizes[file] = file.stat().st_size
            except OSError:  # inside an archive
                self._sizes[file] = 0
        self._started = self._clock()

    def begin(self, file: Path) -> None:
        self._at = file
        self._draw()

    def within(self, file: Path, share: float, rows: int) -> None:
        self._within[file] = share, rows

    def end(self, file: Path, rows: int) -> None:
        if file in self._done:  # looked at again once the other files are known
            return
        self._done.add(file)
        self._done_bytes += self._sizes.get(file, 0)
        self._rows += rows
        self._draw()

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """While somebody is asked something."""
        self._hidden = True
        self._wipe()
        try:
            yield
        finally:
            self._hidden = False

    def text(self) -> str:
        """The line as it is now, not wider than the terminal."""
        passed = max(self._clock() - self._started, 1e-3)
        parts = [f"{min(len(self._done) + 1, len(self._sizes))}/{len(self._sizes)}"]
        at = self._at if self._at is not None and self._at not in self._done else None
        share, rows = self._within.get(at, (0.0, 0)) if at is not None else (0.0, 0)
        if share:
            parts[0] += f" {_bar(share)} {share:.0%}"
        all_read = len(self._done) == len(self._sizes)
        if rows := rows + self._rows:
            parts.append(f"已读 {rows:,} 行" + ("" if all_read else f"，每秒 {rows / passed:,.0f} 行"))
        total = sum(self._sizes.values())
        done = self._done_bytes + (READING * share * self._sizes.get(at, 0) if at is not None else 0)
        if done and total > done:
            parts.append(f"还要{_spoken(passed * (total - done) / done)}")
        elif passed >= 3:
            parts.append(f"已用{_spoken(passed)}")
        doing = "正在登记" if all_read else "正在核对" if share >= 1 else "正在读"
        rest = "　".join(parts)
        room = self._width() - 1 - text_width(rest) - text_width(doing) - 2
        name = shorten(self._at.name, room) if self._at is not None and room > 6 else ""
        return f"{doing} {name}　{rest}" if name else shorten(rest, max(self._width() - 1, 1))

    def _tick(self) -> None:
        while not self._stop.wait(_EVERY):
            self._draw()

    def _draw(self) -> None:
        with self._lock:
            if self._at is None or self._hidden or self._stop.is_set():
                return
            text = self.text()
            width = text_width(text)
            self._out("\r" + text + " " * max(self._shown - width, 0))
            self._shown = width

    def _wipe(self) -> None:
        with self._lock:
            if self._shown:
                self._out("\r" + " " * self._shown + "\r")
                self._shown = 0

    def _out(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a closed terminal stops no import
            self._write(text)
            sys.stderr.flush()


def _bar(share: float) -> str:
    full = int(share * _CELLS)
    return "█" * full + "░" * (_CELLS - full)


def _spoken(seconds: float) -> str:
    if seconds < 60:
        return f" {max(round(seconds), 1)} 秒"
    return f" {round(seconds / 60)} 分钟" if seconds < 5400 else f" {seconds / 3600:.1f} 小时"
