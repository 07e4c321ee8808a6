"""Big, plain workbooks for benchmarks: one district-wide list a programme, nothing messy but the planted facts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xlsxwriter

from generator import registers
from generator.cells import AMOUNTS, in_yuan
from generator.containers import write
from generator.headers import FORMS, SYNONYMS, header_key
from generator.scenario import Scenario

# the columns of a wide 低保 ledger: 24
WIDE = tuple(
    "serial town village case_code head_name head_id_no name id_no relation category household_size covered_persons income amount "
    "bank_name account_no payee_name phone address start_month cause work_ability kin_filed remark".split()
)


def write_roll(
    path: Path, programme: str, roll: pd.DataFrame, *, region: str, month: str, columns: Sequence[str] = ()
) -> int:
    """One sheet: title, header, one row a person, households repeated on every row. Returns the number of rows."""
    chosen = list(columns) or ["serial", *(c for c in FORMS[programme].columns if c in roll.columns)]
    ordered = roll.assign(order=~roll["lead"].astype(bool)).sort_values(
        ["town", "village", "case", "order"], kind="stable"
    )
    headers = [SYNONYMS[header_key(c, programme, yearly_income=False, repeated=True)][0] for c in chosen]
    title = f"{region}{month[:4]}年{int(month[5:])}月{FORMS[programme].titles[0].replace('{城乡}', '城乡')}"
    with xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheet = book.add_worksheet("Sheet1")
        sheet.write_string(0, 0, title)
        sheet.write_row(1, 0, headers)
        for number, row in enumerate(zip(*(_column(ordered, c) for c in chosen), strict=True), 2):
            for index, value in enumerate(row):
                if value is None:
                    continue
                if isinstance(value, str):
                    sheet.write_string(number, index, value)
                else:
                    sheet.write_number(number, index, value)
    return len(ordered)


def _column(rows: pd.DataFrame, name: str) -> list[str | int | float | None]:
    if name == "serial":
        return list(range(1, len(rows) + 1))
    values = rows[name]
    if name in AMOUNTS:
        return [in_yuan(int(fen)) for fen in values]
    if values.dtype.kind in "iu":
        return [int(v) for v in values]
    return [None if pd.isna(v) or v == "" else str(v) for v in values]


def write_rolls(scenario: Scenario, target: Path) -> dict[str, int]:
    """``target/inbox/*.xlsx`` for every programme of the scenario's month, the registers, and ``truth.json``. Rows per programme."""
    inbox = target / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    world = scenario.world
    counts = {}
    for programme, roll in scenario.rolls[world.month].items():
        word = FORMS[programme].word.replace("{城乡}", "")
        path = inbox / f"{word}{world.month}.xlsx"
        columns = ["serial", "town", *(c for c in FORMS[programme].columns if c in roll.columns and c != "town")]
        if programme == "subsistence_allowance":
            columns = list(WIDE)
        counts[programme] = rows = write_roll(
            path, programme, roll, region=world.region.name, month=world.month, columns=columns
        )
        scenario.truth.files.append(
            {"file": path.name, "kind": "roll", "month": world.month, "programmes": [programme], "rows": rows}
        )
    for name, container, grids in registers.make_registers(scenario, np.random.default_rng(world.seed)):
        write(inbox / name, grids, container)
    scenario.truth.write(target / "truth.json")
    return counts
