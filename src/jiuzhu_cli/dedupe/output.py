"""The list of doubts as files: CSV for programs (full, contract columns), workbooks that clerks fill in.

All lie under ``out/internal/dedupe/<month>/``: they carry full ID numbers. Rows come from the record, so that the same doubts give the
same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.dedupe.sheets import kind_sheets, legend_sheet, overdue_sheet, summary_sheet
from jiuzhu_cli.tabular.files import safe_name
from jiuzhu_cli.tabular.write import write_xlsx
from jiuzhu_cli.tabular.writecsv import write_csv

if TYPE_CHECKING:
    from jiuzhu_cli.dedupe.deadline import Deadlines
    from jiuzhu_cli.dedupe.evidence import Speaker
    from jiuzhu_cli.ledger.doubt_records import Beside

CSV_COLUMNS = (
    "doubt_id kind code severity month_from month_to id_no_a name_a programme_a area_a source_a id_no_b name_b programme_b area_b source_b "
    "amount_fen evidence basis disposition"
).split()


@dataclass(frozen=True, slots=True)
class WrittenFile:
    path: Path
    kind: str
    sha256: str
    lines: int


@dataclass(frozen=True, slots=True)
class Written:
    csv: Path
    workbook: Path
    town_workbooks: list[Path] = field(default_factory=list)
    files: list[WrittenFile] = field(default_factory=list)


def write_outputs(
    folder: Path,
    doubts: Sequence[dict[str, Any]],
    beside: Mapping[tuple[str, str], Beside],
    speaker: Speaker,
    deadlines: Deadlines,
    *,
    today: date | None,
    seen: int,
    month: str,
    month_from: str,
    not_judged: Sequence[dict[str, Any]],
    earlier: int,
    bureau: str,
    split_by_town: bool,
) -> Written:
    """Writes ``疑点_<month>.csv`` and ``.xlsx`` into ``folder``, and one workbook a town into ``乡镇/`` when asked.

    ``beside``: ``ledger.doubt_records.records_beside``; ``seen``: ``ledger.verdicts.decisions_seen``.
    """
    span = month if month_from == month else f"{month_from}至{month}"
    written = Written(folder / f"疑点_{month}.csv", folder / f"疑点_{month}.xlsx")
    digest = write_csv(written.csv, CSV_COLUMNS, [[doubt[name] for name in CSV_COLUMNS] for doubt in doubts])
    written.files.append(WrittenFile(written.csv, "doubts_csv", digest, len(doubts)))

    def workbook(path: Path, title: str, some: Sequence[dict[str, Any]], unjudged: Sequence[dict[str, Any]], old: int) -> None:  # fmt: skip
        sheets = [
            summary_sheet(title, some, deadlines, today, unjudged, old),
            *kind_sheets(some, beside, speaker, deadlines, today, span),
            *overdue_sheet(some, deadlines, today),
            legend_sheet(some, speaker),
        ]
        marks = {"jiuzhu_kind": "doubts", "jiuzhu_month": month, "jiuzhu_decisions": str(seen)}
        digest = write_xlsx(path, sheets, marks=marks)
        written.files.append(WrittenFile(path, "doubts_workbook", digest, len(some)))

    workbook(written.workbook, f"{bureau}疑点清单（{span}）", doubts, not_judged, earlier)
    if split_by_town:
        towns = sorted({area for d in doubts for area in (d["area_a"], d["area_b"]) if area})
        for town in towns:
            path = folder / "乡镇" / f"疑点_{month}_{safe_name(town, limit=40)}.xlsx"
            some = [d for d in doubts if town in (d["area_a"], d["area_b"])]
            unjudged = [one for one in not_judged if one["town"] == town]
            workbook(path, f"{town}疑点清单（{span}）", some, unjudged, 0)
            written.town_workbooks.append(path)
    return written
