"""A blank workbook for people to fill in: typed columns, drop-downs, checks as one types, notes on the headers, a page of guidance.

Cells of IDs and accounts are text from the start, so that Excel cannot round them. Checks that stop typing are only those
that nothing right can fail; a wrong check digit is shown in red.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.files import write_atomic
from jiuzhu_cli.tabular.write import A3, A4, FONT, TITLE_FONT, WIDEST_ON_A4, check_text, new_book, text_width

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

FormKind = Literal["text", "id", "account", "phone", "code12", "amount", "count", "date", "month"]
ROWS = 5000  # rows that checks and drop-downs cover
RULED = 40  # rows that are ruled before anything is typed
GUIDE, LISTS = "填表说明", "选项"
_FORMATS = {"amount": "0.00", "count": "0", "date": "yyyy-mm-dd", "month": "yyyy-mm"}
_WIDTHS = {"id": 20, "account": 22, "phone": 13, "code12": 15, "amount": 12, "count": 9, "date": 13, "month": 11}


@dataclass(frozen=True, slots=True)
class FormColumn:
    """One column: its header (without marks), how it is filled in, what may stand in it. ``choices`` make a drop-down.

    ``strict``: nothing but the choices may be typed. ``sum``: the guidance page shows its total.
    """

    header: str
    kind: FormKind = "text"
    required: bool = False
    how: str = ""
    choices: tuple[str, ...] = ()
    strict: bool = True
    width: float = 0
    sum: bool = False


@dataclass(slots=True)
class Form:
    """A workbook: the sheet ``name`` with ``title``, ``note`` and ``columns``; ``guidance`` are paragraphs of the page 填表说明.

    ``keep``: so many columns at the left stay in sight.
    """

    name: str
    title: str
    note: str
    columns: Sequence[FormColumn]
    guidance: Sequence[str] = ()
    keep: int = 0
    marks: Mapping[str, str] = field(default_factory=dict)


def write_form(path: Path, form: Form) -> str:
    """Writes the workbook whole or not at all, mode 0600; returns the SHA-256. The same form gives the same bytes."""

    def write(temporary: Path) -> None:
        with new_book(temporary, many=False) as book:
            for key, value in form.marks.items():
                book.set_custom_property(key, value, "text")
            _FormWriter(book, form).write()

    return write_atomic(path, write)


class _FormWriter:
    """Writes the three sheets: the form, the guidance, the (hidden) lists of the drop-downs."""

    TOP = 3  # title, note, header

    def __init__(self, book: xlsxwriter.Workbook, form: Form) -> None:
        self.book, self.form = book, form
        self.sheet: Worksheet = book.add_worksheet(form.name)
        self.guide: Worksheet = book.add_worksheet(GUIDE)
        self.lists: Worksheet | None = None
        self._formats: dict[tuple[Any, ...], Format] = {}

    def _format(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(
                {"font_name": FONT, "font_size": 11, "valign": "vcenter"} | properties
            )
        return self._formats[key]

    def write(self) -> None:
        self._columns()
        self._top()
        self._page()
        self._guide()

    def _columns(self) -> None:
        sheet, first, last = self.sheet, self.TOP, self.TOP + ROWS - 1
        columns = self.form.columns
        self.widths = [
            column.width or _WIDTHS.get(column.kind, max(8.0, min(text_width(column.header) + 2.5, 14.0)))
            for column in columns
        ]
        for index, column in enumerate(columns):
            style = {"num_format": _FORMATS.get(column.kind, "@")}
            if column.kind in ("amount", "count"):
                style["align"] = "right"
            sheet.set_column(index, index, self.widths[index], self._format(**style))
            ruled = self._format(**style, border=1)
            for row in range(first, first + RULED):
                sheet.set_row(row, 20)
                sheet.write_blank(row, index, None, ruled)
            cell = f"{column_letters(index)}{first + 1}"
            if check := self._check(index, column, cell):
                sheet.data_validation(first, index, last, index, check)
            if column.kind == "id":
                self._red_where_wrong(index, cell)
        row, edge = first + RULED, column_letters(len(columns) - 1)
        filled = f"=COUNTA($A{row + 1}:${edge}{row + 1})>0"
        ruled_too = {"type": "formula", "criteria": filled, "format": self.book.add_format({"border": 1})}
        sheet.conditional_format(row, 0, last, len(columns) - 1, ruled_too)

    def _check(self, index: int, column: FormColumn, cell: str) -> dict[str, Any] | None:
        """The data validation of a column. ``warning``: what is unusual may stay; ``stop``: it cannot be right."""
        base: dict[str, Any] = {"ignore_blank": True, "error_title": f"{column.header}填得不对"[:32]}
        if column.choices:
            kind = "stop" if column.strict else "information"
            words = "请从下拉列表里选" if column.strict else "列表里没有这一项；确实是它，按“确定”"
            return base | {
                "validate": "list",
                "source": self._list(index, column),
                "error_type": kind,
                "error_message": words,
            }
        rules: dict[str, tuple[str, str, str]] = {
            "id": (f"=OR(LEN({cell})=18,LEN({cell})=15)", "stop", "身份证号是 18 位（旧证 15 位），请检查位数；不要有空格"),
            "account": (f"=AND(LEN({cell})>=8,LEN({cell})<=32,NOT(ISNUMBER({cell})))", "stop", "银行账号为 8 至 32 位，单元格要是文本格式"),
            "phone": (f"=AND(LEN({cell})>=7,LEN({cell})<=26)", "warning", "电话号码位数不对，请核对"),
            "code12": (f"=LEN({cell})=12", "stop", "应为 12 位数字"),
            "amount": (f"=AND(ISNUMBER({cell}),{cell}>=0,ROUND({cell},2)={cell})", "stop", "填不小于 0 的数，单位元，最多两位小数"),
        }  # fmt: skip
        if column.kind in rules:
            formula, kind, words = rules[column.kind]
            return base | {"validate": "custom", "value": formula, "error_type": kind, "error_message": words}
        if column.kind == "count":
            limits = {"validate": "integer", "criteria": "between", "minimum": 0, "maximum": 99}
            return base | limits | {"error_type": "stop", "error_message": "填 0 至 99 的整数"}
        if column.kind in ("date", "month"):
            words = "填日期，例如 2026-11-03" if column.kind == "date" else "填年月，例如 2026-11"
            span = {"validate": "custom", "value": f"=AND(ISNUMBER({cell}),{cell}>=1,{cell}<109575)"}  # 1900 to 2199
            return base | span | {"error_type": "warning", "error_message": words}
        return None

    def _list(self, index: int, column: FormColumn) -> str:
        """The range on the hidden sheet that holds the choices of a drop-down (a list in the cell itself may have 255 characters)."""
        if self.lists is None:
            self.lists = self.book.add_worksheet(LISTS)
            self.lists.hide()
        letters = column_letters(index)
        for row, word in enumerate(column.choices):
            self.lists.write_string(row, index, check_text(word))
        return f"='{LISTS}'!${letters}$1:${letters}${len(column.choices)}"

    def _red_where_wrong(self, index: int, cell: str) -> None:
        """Red where 18 characters fail the check digit (GB 11643: weights 2^(18-i) mod 11)."""
        places = 'ROW(INDIRECT("1:17"))'
        char = f'MID("10X98765432",MOD(SUMPRODUCT(MID({cell},{places},1)*MOD(2^(18-{places}),11)),11)+1,1)'
        rule = f"=IF(LEN({cell})=18,IFERROR({char}<>UPPER(RIGHT({cell},1)),TRUE),FALSE)"
        style = self.book.add_format({"bg_color": "#FFC7CE", "font_color": "#9C0006"})
        self.sheet.conditional_format(
            self.TOP, index, self.TOP + ROWS - 1, index, {"type": "formula", "criteria": rule, "format": style}
        )

    def _top(self) -> None:
        sheet, form = self.sheet, self.form
        last = len(form.columns) - 1
        title = self._format(bold=True, font_name=TITLE_FONT, font_size=18, align="center")
        note = self._format(font_size=10, font_color="#595959", text_wrap=True)
        sheet.set_row(0, 32)
        sheet.merge_range(0, 0, 0, last, "", title)
        sheet.write_string(0, 0, form.title, title)
        lines = -(-text_width(form.note) // max(1, int(sum(self.widths) * 1.1)))
        sheet.set_row(1, 15.0 * lines + 3)
        sheet.merge_range(1, 0, 1, last, "", note)
        sheet.write_string(1, 0, form.note, note)
        lines = 1
        for index, column in enumerate(form.columns):
            shown = column.header + ("*" if column.required else "")
            lines = max(lines, -(-text_width(shown) // max(1, int(self.widths[index]) - 1)))
            colour = {"font_color": "#C00000"} if column.required else {}
            style = self._format(
                bold=True, align="center", text_wrap=True, border=1, bg_color="#D9E1F2", num_format="@", **colour
            )
            sheet.write_string(2, index, shown, style)
            if column.how:
                size = {"x_scale": 1.6, "y_scale": max(0.6, 0.25 * (1 + text_width(column.how) / 30))}
                sheet.write_comment(
                    2, index, column.how, {"author": "jiuzhu", "font_name": FONT, "font_size": 10, **size}
                )
        sheet.set_row(2, 16.0 * lines + 6)

    def _page(self) -> None:
        sheet = self.sheet
        sheet.set_landscape()
        sheet.set_paper(A3 if sum(self.widths) > WIDEST_ON_A4 else A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.center_horizontally()
        sheet.repeat_rows(0, 2)
        sheet.freeze_panes(self.TOP, self.form.keep)
        sheet.set_footer("&L制表人：            审核人：            负责人：&R第 &P 页 共 &N 页")
        sheet.activate()

    def _guide(self) -> None:
        guide, form = self.guide, self.form
        head = self._format(bold=True, border=1, bg_color="#D9E1F2", align="center")
        text, middle = self._format(border=1, text_wrap=True), self._format(border=1, align="center")
        for index, width in enumerate((20, 8, 68, 34)):
            guide.set_column(index, index, width)
        guide.merge_range(0, 0, 0, 3, "", self._format(bold=True, font_name=TITLE_FONT, font_size=16, align="center"))
        guide.write_string(0, 0, GUIDE, self._format(bold=True, font_name=TITLE_FONT, font_size=16, align="center"))
        guide.set_row(0, 30)
        row = 1
        for paragraph in form.guidance:
            style = self._format(text_wrap=True)
            guide.merge_range(row, 0, row, 3, "", style)
            guide.write_string(row, 0, paragraph, style)
            guide.set_row(row, 16.0 * max(1, -(-text_width(paragraph) // 124)) + 2)
            row += 1
        row = self._figures(row) + 1
        for index, word in enumerate(("列", "必填", "怎么填", "可选的写法")):
            guide.write_string(row, index, word, head)
        for column in form.columns:
            row += 1
            guide.write_string(row, 0, column.header, text)
            guide.write_string(row, 1, "必填" if column.required else "", middle)
            guide.write_string(row, 2, column.how, text)
            choices = "、".join(column.choices[:30]) + (" 等" if len(column.choices) > 30 else "")
            guide.write_string(row, 3, choices, text)
            lines = max(-(-text_width(column.how) // 66), -(-text_width(choices) // 32), 1)
            guide.set_row(row, 16.0 * lines + 2)
        guide.set_portrait()
        guide.set_paper(A4)
        guide.fit_to_pages(1, 0)

    def _figures(self, row: int) -> int:
        """已填人数 and the totals of money columns, kept up by the spreadsheet itself."""
        place = f"'{self.form.name}'!"
        label, first, last = self._format(bold=True, border=1), self.TOP + 1, self.TOP + ROWS
        key = next((i for i, column in enumerate(self.form.columns) if column.kind == "id"), 0)
        figures = [("已填人数", f"=COUNTA({place}{column_letters(key)}{first}:{column_letters(key)}{last})", "0")]
        figures += [
            (
                f"{column.header}合计",
                f"=SUM({place}{column_letters(index)}{first}:{column_letters(index)}{last})",
                "#,##0.00",
            )
            for index, column in enumerate(self.form.columns)
            if column.sum
        ]
        for name, formula, shape in figures:
            self.guide.write_string(row, 0, name, label)
            self.guide.merge_range(row, 1, row, 2, "", self._format(border=1, num_format=shape, align="left"))
            self.guide.write_formula(row, 1, formula, self._format(border=1, num_format=shape, align="left"), 0)
            row += 1
        return row
