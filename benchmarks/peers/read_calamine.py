"""Peer: python-calamine reads the first sheet of a file, or of every file of a folder, into Python lists; that is all."""

import sys
from pathlib import Path

from python_calamine import CalamineWorkbook

asked = Path(sys.argv[1])
rows = 0
for path in sorted(asked.rglob("*.xlsx")) if asked.is_dir() else [asked]:
    rows += len(CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python())
print(rows)
