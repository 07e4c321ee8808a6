"""Sheets that hold people, but no row a person: cards (登记卡, 审批表) and tables turned on their side. Told, never read."""

from __future__ import annotations

import re

from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.intake.grid import Grid, cell_text, looks_like_id
from jiuzhu_cli.intake.layout import Known

_ID_WORD = re.compile(r"身份证|身份号|证件号")
SEARCH_ROWS = 3000


def odd_shape(grid: Grid, known: Known) -> str:
    """``sheet_of_cards``, ``sheet_transposed`` or ''.

    On a card the word 身份证号 stands left of one ID; in a table turned round it stands left of the IDs of everybody, below
    or above other words that name columns.
    """
    most = labels = 0
    words = set()
    for row in range(min(grid.height, SEARCH_ROWS)):
        cells = grid.cells(row)
        if not cells:
            continue
        first = header_key(cell_text(cells[0][1]))
        if known(first):
            words.add(first)
        at = next((n for n, (_, value) in enumerate(cells) if _ID_WORD.search(header_key(cell_text(value)))), None)
        if at is not None:
            ids = sum(looks_like_id(value) for _, value in cells[at + 1 :])
            most, labels = max(most, ids), labels + (ids > 0)
    if most >= 2 and len(words) >= 2:
        return "sheet_transposed"
    return "sheet_of_cards" if labels else ""
