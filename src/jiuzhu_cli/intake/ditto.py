"""Ditto marks (〃, ″, 同上): the value of the row above, in every column that is understood but the own name and ID."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.intake.letters import has_short
from jiuzhu_cli.tabular.column import Column

if TYPE_CHECKING:
    from jiuzhu_cli.intake.work import Work

MARKS = ("〃", "〞", "″", "”", "“", '"', "''", "”“", "“”", "〃〃", "同上", "同 上", "同　上", "同上。", "々", "ditto")
_OWN = frozenset(
    "name id_no member_names member_ids serial_no".split()
)  # nobody has the name or the ID of the row above
_MARKS = pa.array(MARKS, type=pa.string())
_LONGEST = max(len(mark.encode()) for mark in MARKS)


def fill_dittos(work: Work) -> None:
    """Puts the value of the nearest data row above in place of each mark; a mark below a blank stays as it is written."""
    rows = work.table.rows
    columns = [column for column in work.table.columns if column.field and column.field not in _OWN]
    texts = [work.sheet.columns[column.index].text for column in columns]
    short = [text for text in texts if has_short(text, _LONGEST)]
    if not pc.any(pc.is_in(pa.chunked_array(short, pa.string()), value_set=_MARKS)).as_py():
        return
    for column in columns:
        cells = work.sheet.columns[column.index]
        marked = pc.is_in(cells.text, value_set=_MARKS).to_numpy(zero_copy_only=False)[rows]
        if not marked.any():
            continue
        source = np.maximum.accumulate(np.where(marked, -1, np.arange(len(rows))))
        known = marked & (source >= 0)
        values = list(cells)
        for row, above in zip(rows[known].tolist(), rows[source[known]].tolist(), strict=True):
            values[row] = values[above]
        filled = Column(values)
        work.sheet.columns[column.index] = filled
        work.grid.columns[column.index] = filled
