"""Turns a posting list into files: an xlsx and a printable docx. The same list gives the same bytes.

The docx comes from a Word template (``templates/posting/list.docx``, a workspace's own goes first), rendered by a sandboxed,
strict, autoescaping Jinja2: a template that reaches for Python's insides, or names something unknown, is refused.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jiuzhu_cli
from jiuzhu_cli.core.errors import DataError, OutsideError
from jiuzhu_cli.posting.lists import COLUMNS, NUMBER, ListColumn, VillageList
from jiuzhu_cli.posting.wording import Notice
from jiuzhu_cli.tabular.files import write_bytes
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

TEMPLATE = "posting/list.docx"
ROWS_PER_PAGE = 22  # as the month's lists of a county in use (林口)
SHEET_WIDTH = 90  # half-width characters that fit an A4 page upright
TABLE_TWIPS = 9638  # 17 cm
_EPOCH = (1980, 1, 1, 0, 0, 0)


def find_template(workspace_templates: Path, code: str) -> Path:
    """The workspace's template for this programme (``posting/<code>.docx``), its general one, or the package's."""
    package = Path(jiuzhu_cli.__file__).parent / "templates"
    if not package.is_dir():  # a working copy: the templates stand beside src
        package = Path(jiuzhu_cli.__file__).parents[2] / "templates"
    for path in (workspace_templates / f"posting/{code}.docx", workspace_templates / TEMPLATE, package / TEMPLATE):
        if path.is_file():
            return path
    raise OutsideError("找不到公示单模板 posting/list.docx", "重新安装 jiuzhu，或把模板放进工作区 templates/posting/")


def list_columns(village: VillageList) -> list[ListColumn]:
    return [NUMBER, *(COLUMNS[name] for name in village.columns)]


def render_xlsx(path: Path, village: VillageList, notice: Notice) -> str:
    """Writes the list as a workbook, 22 rows a page with the heading repeated; returns its SHA-256."""
    columns = list_columns(village)
    whole = sum(column.share for column in columns)
    specs = [
        ColumnSpec(
            column.header,
            width=SHEET_WIDTH * column.share / whole,
            kind="amount" if column is COLUMNS["amount"] else "text",
            align="right" if column.align == "right" else "center",
            wrap=column.align != "right",
        )
        for column in columns
    ]
    amounts = {index for index, column in enumerate(columns) if column is COLUMNS["amount"]}
    rows = [
        [int(value.replace(".", "")) if index in amounts else value for index, value in enumerate((str(number), *row))]
        for number, row in enumerate(village.rows, 1)
    ]
    sheet = SheetSpec(
        "公示名单",
        specs,
        rows,
        title=notice.title,
        notes=[
            f"{notice.bureau}　{notice.place}　{notice.subtitle}".rstrip("　"),
            f"公示日期：{notice.period}",
            notice.contact or f"异议受理：{notice.bureau}",
        ],
        footnotes=[
            *(f"{label}：{text}。" for label, text in notice.clauses),
            notice.statement,
            f"{notice.bureau}　{notice.signed}",
        ],
        landscape=False,
        autofilter=False,
        rows_per_page=ROWS_PER_PAGE,
        row_height=26,
        font_size=14,
    )
    return write_xlsx(path, [sheet])


@cache
def _environment() -> Any:
    """The one environment: sandboxed, strict, escaping; a month renders thousands of lists, so templates compile once."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        compiled = lru_cache(maxsize=64)(ImmutableSandboxedEnvironment.from_string)

        def from_string(self, source: Any, *args: Any, **kwargs: Any) -> Any:
            return self.compiled(source)

    return Environment(undefined=StrictUndefined, autoescape=True)


def render_docx(path: Path, village: VillageList, notice: Notice, template: Path) -> str:
    """Writes the printable notice from ``template``; returns its SHA-256. DataError when the template is wrong."""
    from docx.opc.exceptions import PackageNotFoundError
    from docxtpl import DocxTemplate
    from jinja2.exceptions import SecurityError, TemplateError

    columns = list_columns(village)
    values = {
        "title": notice.title,
        "subtitle": notice.subtitle,
        "place": notice.place,
        "clauses": [{"label": label, "text": text} for label, text in notice.clauses],
        "summary": notice.summary,
        "statement": notice.statement,
        "bureau": notice.bureau,
        "signed": notice.signed,
        "period": notice.period,
        "contact": notice.contact,
        "columns": [column.header for column in columns],
        "rows": [(str(number), *row) for number, row in enumerate(village.rows, 1)],
    }
    try:
        document = DocxTemplate(str(template))
        document.render(values, _environment())
        _set_widths(document.docx, columns)
        out = io.BytesIO()
        document.docx.save(out)
    except SecurityError as error:
        raise DataError(f"公示单模板 {template.name} 里有不允许的写法，没有使用", "恢复原模板，或删去该写法") from error
    except TemplateError as error:
        raise DataError(f"公示单模板 {template.name} 有误：{error.message}", "对照随附模板改正占位符") from error
    except (
        PackageNotFoundError,
        zipfile.BadZipFile,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
    ) as error:
        raise DataError(f"公示单模板 {template.name} 打不开或已损坏", "用随附模板替换") from error
    return write_bytes(path, _steady(out.getvalue()))


def _set_widths(document: Any, columns: Sequence[ListColumn]) -> None:
    """Column widths by share and amounts to the right, on the tables that carry the list (headed by 序号)."""
    from docx.oxml.ns import qn

    whole = sum(column.share for column in columns)
    widths = [str(TABLE_TWIPS * column.share // whole) for column in columns]
    right = [column.align == "right" for column in columns]
    for table in document.element.body.iter(qn("w:tbl")):
        rows = table.findall(qn("w:tr"))
        # itertext would tell the text thrice: python-docx's own elements have a text of their own
        if not rows or "".join(run.text for run in rows[0].find(qn("w:tc")).iter(qn("w:t"))) != NUMBER.header:
            continue
        for cell, width in zip(table.find(qn("w:tblGrid")), widths, strict=False):
            cell.set(qn("w:w"), width)
        for number, row in enumerate(rows):
            for cell, width, align in zip(row.findall(qn("w:tc")), widths, right, strict=False):
                space = cell.find(f"{qn('w:tcPr')}/{qn('w:tcW')}")
                if space is not None:
                    space.set(qn("w:w"), width)
                if align and number:
                    for paragraph in cell.iterchildren(qn("w:p")):
                        paragraph.get_or_add_pPr().get_or_add_jc().set(qn("w:val"), "right")


def _steady(data: bytes) -> bytes:
    """The package with its entries in their order but without the time of day."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            info = zipfile.ZipInfo(entry.filename, _EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            target.writestr(info, source.read(entry))
    return out.getvalue()
