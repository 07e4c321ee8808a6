"""What our annotated copies carry beside the sender's: told apart when such a copy comes back corrected."""

from __future__ import annotations

import re

from jiuzhu_cli.tabular.cells import Sheet

# custom properties of a form to be filled in: kind:code, month, area of what comes back in it
MARK, MONTH_MARK, AREA_MARK = "jiuzhu_template", "jiuzhu_template_month", "jiuzhu_template_area"
REASON_HEADER = "核对结果"
# sheets that stand before the sender's: name and title
FRONTS = {"核对结果": "导入核对结果", "与上月比": "与上月名册相比", "与原表比": "与更正前的名册相比"}
_NAME = re.compile(rf"({'|'.join(FRONTS)})\d*")


def may_be_front(name: str) -> bool:
    """Whether a sheet of ours may bear the name."""
    return _NAME.fullmatch(name) is not None


def is_front(sheet: Sheet) -> bool:
    """Whether we put the sheet there: by its name and its title."""
    match = _NAME.fullmatch(sheet.name)
    return match is not None and bool(sheet.width and sheet.height) and sheet.columns[0][0] == FRONTS[match.group(1)]


def old_reasons(sheet: Sheet, header_row: int) -> tuple[int, list[int]] | None:
    """0-based column of the reasons that an earlier copy left in ``sheet``, and the rows that have one; None when there are none."""
    if not 0 <= header_row < sheet.height or not sheet.columns:
        return None
    for column in range(sheet.width - 1, -1, -1):
        if sheet.columns[column][header_row] == REASON_HEADER:
            cells = sheet.columns[column]
            rows = cells.kinds.nonzero()[0].tolist()
            return column, [row for row in rows if row != header_row]
        if sheet.columns[column][header_row] is not None:
            return None
    return None
