"""What comes over of a file that a reader has judged: its lists as they go into the record, and of the cells only what is asked for.

Of most files nobody looks at a cell again: nothing was refused, nothing is to be looked up elsewhere, and the annotated copy
of an xlsx is made from the file itself. Sending and taking apart all cells, twice (as read and as cleaned), took a tenth of
a folder's import.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jiuzhu_cli.intake.frame import Carried
from jiuzhu_cli.intake.job import Job
from jiuzhu_cli.intake.prepare import Prepared
from jiuzhu_cli.intake.reports import header_rows
from jiuzhu_cli.intake.rows import Rows
from jiuzhu_cli.intake.save import lists_of
from jiuzhu_cli.intake.vectors import Fields
from jiuzhu_cli.tabular.cells import Workbook
from jiuzhu_cli.tabular.ours import old_reasons

_NOBODY = np.empty(0, dtype=np.int64)


def lighten(job: Job) -> None:
    """Makes the lists of a judged file and lets go of its cells, where nobody will ask for them; else leaves it as it is."""
    book = job.book
    if book is None or not _told(job, book):
        return
    job.lists = lists_of(job.tables, job.results, job.supplements)
    for one in job.lists:
        one.rows = Carried(one.rows)
    for table in job.tables:
        rows = table.rows
        assert rows is not None
        table.towns = frozenset(filter(None, rows.get("town").distinct()))
        table.table.rows = _NOBODY
        table.rows = Rows(
            rows.file,
            replace(rows.sheet, columns=[]),
            table.table,
            Fields(),
            rows.columns,
            {},
            _NOBODY,
            _NOBODY.astype(bool),
        )
    job.book = replace(book, sheets=[replace(sheet, columns=[]) for sheet in book.sheets])
    job.given = {}
    job.light = True


def _told(job: Job, book: Workbook) -> bool:
    """Whether all is said that the cells of a file have to say."""
    if not job.tables or not book.bare or job.supplements is not None:
        return False
    if not all(map(_whole, job.tables)):
        return False
    headers = header_rows(job.tables)  # in a copy of ours come back the reasons are to be taken out
    return not any(old_reasons(sheet, headers.get(sheet.name, 1) - 1) for sheet in book.sheets)


def _whole(table: Prepared) -> bool:
    """Whether nothing of a table was refused, left out, or is to be looked for elsewhere."""
    rows = table.rows
    return rows is not None and not table.damaged and not rows.left_out and not rows.refused.any()
