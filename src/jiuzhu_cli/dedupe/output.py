"""The list of doubts as files: CSV for programs (full, contract columns), workbooks that clerks fill in.

All lie under ``out/internal/dedupe/<month>/``: they carry full ID numbers. Rows come from the record, so that the same doubts give the
same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.doubt import OLD_WORDS, verdict_label, verdict_of
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.dedupe.evidence import CODES, KINDS, SEVERITIES
from jiuzhu_cli.tabular.files import safe_name
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_csv, write_xlsx

if TYPE_CHECKING:
    from jiuzhu_cli.dedupe.evidence import Speaker

CSV_COLUMNS = (
    "doubt_id kind code severity month_from month_to id_no_a name_a programme_a area_a source_a id_no_b name_b programme_b area_b source_b "
    "amount_fen evidence basis disposition"
).split()

ID_HEADER, DECISION_HEADER, NOTE_HEADER = "疑点编号", "处理意见", "备注"
ID_A_HEADER, ID_B_HEADER = "甲方身份证号", "乙方身份证号"
SUMMARY_SHEET = "汇总"

COLUMNS = (
    ColumnSpec(ID_HEADER, 10),
    ColumnSpec("级别", 9),
    ColumnSpec("疑点类型", 14, wrap=True),
    ColumnSpec("起始月份", 9),
    ColumnSpec("截止月份", 9),
    ColumnSpec("甲方姓名", 9),
    ColumnSpec(ID_A_HEADER, 20),
    ColumnSpec("甲方项目", 14, wrap=True),
    ColumnSpec("甲方乡镇", 10, wrap=True),
    ColumnSpec("乙方姓名", 9),
    ColumnSpec(ID_B_HEADER, 20),
    ColumnSpec("乙方项目", 14, wrap=True),
    ColumnSpec("乙方乡镇", 10, wrap=True),
    ColumnSpec("涉及金额（元）", 14, kind="amount"),
    ColumnSpec("情况", 46, wrap=True),
    ColumnSpec("依据", 30, wrap=True),
    ColumnSpec(DECISION_HEADER, 14, choices=("待核实", *OLD_WORDS, "已转部门办理")),
    ColumnSpec(NOTE_HEADER, 18, wrap=True),
    ColumnSpec("甲方出处", 26, wrap=True),
    ColumnSpec("乙方出处", 26, wrap=True),
)
HOW = (
    "怎么填：只填“处理意见”（点格子右边的箭头选）和“备注”两列，其他列不要改；可以排序、筛选、加列。",
    "停发甲方/停发乙方：当月不发这一方，复核时转为停发建议（须先听取意见并书面告知，社会救助法第48条）。",
    "合规不处理：核实后确属可以同时享受，以后各月不再作为待核实列出。调整金额：改正名册或复核调整之前，双方都先不发。",
    "已转部门办理：由其他部门处理，本单位照发。待核实的强疑点会拦住当月发放；待核线索和应享未享不拦。",
)


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
    speaker: Speaker,
    *,
    month: str,
    month_from: str,
    not_judged: Sequence[dict[str, Any]],
    earlier: int,
    bureau: str,
    split_by_town: bool,
) -> Written:
    """Writes ``疑点_<month>.csv`` and ``.xlsx`` into ``folder``, and one workbook a town into ``乡镇/`` when asked."""
    span = month if month_from == month else f"{month_from}至{month}"
    written = Written(folder / f"疑点_{month}.csv", folder / f"疑点_{month}.xlsx")
    digest = write_csv(written.csv, CSV_COLUMNS, [[doubt[name] for name in CSV_COLUMNS] for doubt in doubts])
    written.files.append(WrittenFile(written.csv, "doubts_csv", digest, len(doubts)))

    def workbook(path: Path, title: str, some: Sequence[dict[str, Any]], unjudged: Sequence[dict[str, Any]], old: int) -> None:  # fmt: skip
        sheets = [_summary(title, some, unjudged, old), *_sheets(some, speaker, span)]
        digest = write_xlsx(path, sheets, marks={"jiuzhu_kind": "doubts", "jiuzhu_month": month})
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


def _summary(
    title: str, doubts: Sequence[dict[str, Any]], not_judged: Sequence[dict[str, Any]], earlier: int
) -> SheetSpec:
    groups = Counter((d["kind"], d["code"], d["severity"]) for d in doubts)
    rows: list[tuple[Any, ...]] = []
    for kind, name in KINDS.items():
        for (of_kind, code, severity), count in sorted(groups.items()):
            if of_kind == kind:
                same = [d for d in doubts if (d["kind"], d["code"], d["severity"]) == (kind, code, severity)]
                pending = sum(1 for d in same if d["disposition"] == "pending")
                rows.append(
                    (name, CODES.get(code, code), SEVERITIES[severity], count, pending, count - pending, sum(d["amount_fen"] for d in same))
                )  # fmt: skip
    pending = sum(1 for d in doubts if d["disposition"] == "pending")
    rows.append(("合计", "", "", len(doubts), pending, len(doubts) - pending, sum(d["amount_fen"] for d in doubts)))
    footnotes = [f"不能判定：{one['reason']}（涉及 {one['persons']} 人）" if one["persons"] else f"不能判定：{one['reason']}" for one in not_judged]  # fmt: skip
    if earlier:
        footnotes.append(f"更早月份还有 {earlier} 条疑点待核实，见那几个月的清单。")
    columns = (
        ColumnSpec("类别", 16),
        ColumnSpec("疑点类型", 26),
        ColumnSpec("级别", 12),
        ColumnSpec("条数", 8, kind="count"),
        ColumnSpec("待核实", 8, kind="count"),
        ColumnSpec("已处理", 8, kind="count"),
        ColumnSpec("涉及金额（元）", 16, kind="amount"),
    )
    return SheetSpec(SUMMARY_SHEET, columns, rows, title=title, notes=HOW, footnotes=footnotes, autofilter=False)


def _sheets(doubts: Sequence[dict[str, Any]], speaker: Speaker, span: str) -> list[SheetSpec]:
    sheets = []
    for kind, name in KINDS.items():
        some = [doubt for doubt in doubts if doubt["kind"] == kind]
        if not some:
            continue
        total = yuan(sum(doubt["amount_fen"] for doubt in some), grouped=True)
        decision = len(COLUMNS) - 4
        sheets.append(
            SheetSpec(
                name,
                COLUMNS,
                [_row(doubt, speaker) for doubt in some],
                freeze_columns=1,
                title=f"{name}（{span}）：{len(some)} 条，涉及 {total} 元",
                fills={(n, decision): "yellow" for n, doubt in enumerate(some) if doubt["disposition"] == "pending"},
            )
        )
    return sheets


def _row(doubt: dict[str, Any], speaker: Speaker) -> tuple[Any, ...]:
    return (
        doubt["doubt_id"],
        SEVERITIES[doubt["severity"]],
        CODES.get(doubt["code"], doubt["code"]),
        doubt["month_from"],
        doubt["month_to"],
        doubt["name_a"],
        doubt["id_no_a"],
        speaker.name(doubt["programme_a"]),
        doubt["area_a"],
        doubt["name_b"],
        doubt["id_no_b"],
        speaker.name(doubt["programme_b"]) if doubt["programme_b"] else "",
        doubt["area_b"],
        doubt["amount_fen"],
        doubt["evidence"],
        doubt["basis"],
        _word(doubt),
        doubt["disposition_note"],
        doubt["source_a"],
        doubt["source_b"],
    )


def _word(doubt: dict[str, Any]) -> str:
    verdict = verdict_of(doubt)
    return next((w for w, v in OLD_WORDS.items() if v == verdict), verdict_label(doubt))
