"""The voucher's lines for finance (记账凭证): what a batch's money is booked on, by programme, category and who pays; debit = credit.

What is kept back towards recoveries (抵扣) has lines of its own, so that the voucher comes to what was due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.payment.figures import Figures, Source
from jiuzhu_cli.policy.accounts import CERTAINTY, CHECK, Entry, Subject, subject_of
from jiuzhu_cli.policy.funding import OPEN
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

COLUMNS = (
    ColumnSpec("序号", 5, "count", align="center", shrink=True), ColumnSpec("账套", 9), ColumnSpec("摘要", 32, wrap=True), ColumnSpec("科目代码", 9), ColumnSpec("科目名称", 22, wrap=True),
    ColumnSpec("支出功能分类代码", 10), ColumnSpec("支出功能分类", 18, wrap=True), ColumnSpec("支出经济分类代码", 10), ColumnSpec("支出经济分类", 11, wrap=True),
    ColumnSpec("资金来源", 9), ColumnSpec("借方金额（元）", 15, "amount", shrink=True), ColumnSpec("贷方金额（元）", 15, "amount", shrink=True), ColumnSpec("核对", 19, wrap=True),
    ColumnSpec("救助项目", 22, wrap=True), ColumnSpec("类别", 8),
)  # fmt: skip
_DEBIT, _CREDIT = 10, 11
_PRINTED = 13  # programme and category stand in the summary text, too: they are for programs


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the voucher. ``check``: what finance still has to confirm; '' nothing."""

    entry: Entry
    subject: Subject | None
    text: str
    programme: str
    category: str
    source: str
    amount_fen: int
    check: str

    def cells(self, number: int) -> list[Any]:
        subject, entry = self.subject, self.entry
        return [
            number, entry.books, self.text, entry.code, entry.name + (f"——{entry.detail}" if entry.detail else ""),
            (subject.function_code if subject else "") or CHECK, subject.function_name if subject else "",
            (subject.economic_code if subject else "") or CHECK, subject.economic_name if subject else "",
            self.source, self.amount_fen if entry.side == "debit" else None, self.amount_fen if entry.side == "credit" else None,
            self.check, self.programme, self.category,
        ]  # fmt: skip


def voucher_lines(policy: Policy, figures: Figures, returned: Sequence[Source] = ()) -> list[Line]:
    """Lines in the order of the books, debit before credit; DataError when the books do not balance (``accounts.toml`` is at fault).

    ``returned``: what came back; it is booked off on the same accounts, in negative figures (红字冲减), instead of what was paid; with what it had kept back.
    """
    month = str(figures.batch["month"])
    words = f"{int(month[:4])}年{int(month[5:])}月第{figures.batch['sequence']}次"
    verb, sign, sources = ("退回冲减", -1, returned) if returned else ("发放", 1, figures.sources)
    lines = []
    used = [entry for entry in policy.entries if entry.used]
    for books in dict.fromkeys(entry.books for entry in used):
        for entry in sorted(
            (e for e in used if e.books == books), key=lambda e: (e.money != "paid", e.side != "debit")
        ):
            for one in sources:
                part = one.amount_fen if entry.money == "paid" else one.set_off_fen
                if not part:
                    continue
                subject = subject_of(policy.subjects, one.programme, one.category)
                name, fen = figures.name(one.programme), sign * part
                what = verb if entry.money == "paid" else f"{verb}时抵扣追缴，"
                text = f"{what}{words}{figures.title(one.programme, one.category)}"
                check = _check(entry, subject, one.share.level, one.share.confirmed)
                lines.append(Line(entry, subject, text, name, one.category, one.share.level, fen, check))
    for books, (debit, credit) in sides(lines).items():
        kept = any(entry.books == books and entry.money == "set_off" for entry in used)
        whole = sign * sum(one.amount_fen + (one.set_off_fen if kept else 0) for one in sources)
        if not debit == credit == whole:
            raise DataError(
                f"记账凭证（{books}）借方 {yuan(debit)}、贷方 {yuan(credit)}，应都是 {yuan(whole)}",
                "accounts.toml 里每个账套要有借方、贷方各一条：运行 jiuzhu policy check",
                code="unbalanced",
            )
    return lines


def _check(entry: Entry, subject: Subject | None, source: str, confirmed: bool) -> str:
    found = []
    if CERTAINTY[entry.certainty]:
        found.append("会计科目")
    if subject is None or CERTAINTY[subject.certainty]:
        found.append("支出科目")
    if source == OPEN:
        found.append("资金来源")
    elif not confirmed:
        found.append("分担比例")
    return f"{CHECK}：{'、'.join(found)}" if found else ""


def sides(lines: list[Line]) -> dict[str, tuple[int, int]]:
    """(debit, credit) in 分 by books."""
    found: dict[str, tuple[int, int]] = {}
    for line in lines:
        debit, credit = found.get(line.entry.books, (0, 0))
        found[line.entry.books] = (
            debit + (line.amount_fen if line.entry.side == "debit" else 0),
            credit + (line.amount_fen if line.entry.side == "credit" else 0),
        )
    return found


def voucher_rows(lines: list[Line]) -> list[list[Any]]:
    """The lines numbered, cells as ``COLUMNS``."""
    return [line.cells(number) for number, line in enumerate(lines, 1)]


def voucher_csv(lines: list[Line]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows for a program that takes vouchers in: amounts in 元 as numbers (a text with a minus would be defused), no sums."""

    def amount(fen: int | None) -> Decimal | str:
        return "" if fen is None else Decimal(yuan(fen))

    rows = [
        [*row[:_DEBIT], amount(row[_DEBIT]), amount(row[_CREDIT]), *row[_CREDIT + 1 :]] for row in voucher_rows(lines)
    ]
    return [column.header for column in COLUMNS], rows


def voucher_sheets(bureau: str, figures: Figures, lines: list[Line], *, title: str = "发放记账凭证") -> list[SheetSpec]:
    """The voucher to be read and printed, and where each account comes from."""
    rows = voucher_rows(lines)
    for books, (debit, credit) in sides(lines).items():
        rows.append([None, books, "合计", *[""] * (_DEBIT - 3), debit, credit, "", "", ""])
    batch = figures.batch
    note = f"单位：{bureau}　　第 {batch['payment_id']} 批（{batch['month']} 第 {batch['sequence']} 次）　　控制摘要：{batch['control_sha256'][:16]}"
    voucher = SheetSpec(
        name="记账凭证",
        columns=COLUMNS,
        rows=rows,
        title=f"{batch['month']} 社会救助资金{title}（分录）",
        notes=[note, "印着“请核对”的，由财务核定后写在 policy/accounts.toml（科目）、policy/parameters/（分担比例），再运行 jiuzhu pay papers --rewrite。"],
        footnotes=["会计主管：　　　　　　　　记账：　　　　　　　　复核：　　　　　　　　制单："],
        fills={(number, index): "grey" for number in range(len(lines), len(rows)) for index in range(len(COLUMNS))},
        autofilter=False,
        paper="A4",
        font_size=10,
        row_height=20,
        print_columns=_PRINTED,
    )  # fmt: skip
    return [voucher, _sources(lines)]


def _sources(lines: list[Line]) -> SheetSpec:
    seen: dict[str, list[Any]] = {}
    for line in lines:
        entry, subject = line.entry, line.subject
        seen.setdefault(
            f"e{entry.id}", [f"{entry.books}{entry.name}", entry.code, _sure(entry.certainty), entry.source, entry.note]
        )
        if subject is None:
            seen.setdefault(
                f"p{line.programme}{line.category}",
                [_kind(line), "", _sure("unknown"), "accounts.toml 里没有这一条", ""],
            )
        else:
            codes = "、".join(filter(None, (subject.function_code, subject.economic_code)))
            seen.setdefault(
                f"s{subject.id}", [_kind(line), codes, _sure(subject.certainty), subject.source, subject.note]
            )
    columns = [
        ColumnSpec("科目用于", 30, wrap=True), ColumnSpec("代码", 18), ColumnSpec("把握", 14), ColumnSpec("依据", 60, wrap=True),
        ColumnSpec("说明", 40, wrap=True),
    ]  # fmt: skip
    return SheetSpec(
        name="科目依据", columns=columns, rows=list(seen.values()), autofilter=False, paper="A4", font_size=10
    )


def _kind(line: Line) -> str:
    return line.programme + (f"（{line.category}）" if line.category else "")


def _sure(certainty: str) -> str:
    return {
        "confirmed": "本单位已核定",
        "known": "全国统一科目",
        "likely": "多数地方，请核对",
        "unknown": "不知道，请核对",
    }[certainty]
