"""Who is told how far an import has come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class Meter:
    """Told of files as they are read; does nothing by itself."""

    def start(self, files: Sequence[Path]) -> None:
        """All files of the import, in the order in which they are read."""

    def begin(self, file: Path) -> None:
        """``file`` is about to be read."""

    def within(self, file: Path, share: float, rows: int) -> None:
        """``share`` (0 to 1) of a file has been read, so many rows; from any thread, also ahead of the file's turn."""

    def end(self, file: Path, rows: int) -> None:
        """``file`` is read and judged; it held so many rows."""
