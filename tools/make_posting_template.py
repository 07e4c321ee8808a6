"""Makes ``templates/posting/list.docx``, the Word template of posting lists. Run again after changing it here.

Clerks may open the result in Word or WPS, change it and put it into their workspace's ``templates/posting/``.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

BODY, TITLE = "仿宋", "黑体"
WIDTH = Cm(17)


def write(paragraph: Any, text: str, *, font: str = BODY, size: float = 14, bold: bool = False) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.bold, run.font.name = Pt(size), bold, font
    fonts = run._element.rPr.get_or_add_rFonts()
    for kind in ("w:eastAsia", "w:ascii", "w:hAnsi", "w:cs"):
        fonts.set(qn(kind), font)


def field(paragraph: Any, code: str) -> None:
    for kind, text in (("begin", ""), ("", code), ("end", "")):
        run = paragraph.add_run()
        run.font.size = Pt(10.5)
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.set(qn("xml:space"), "preserve")
            mark.text = text
        run._element.append(mark)


def paragraph(document: Any, text: str, *, indent: bool = True, spacing: float = 26) -> Any:
    made = document.add_paragraph()
    form = made.paragraph_format
    form.space_before = form.space_after = Pt(0)
    form.line_spacing = Pt(spacing)
    if indent:
        form.first_line_indent = Pt(28)
    if text:
        write(made, text)
    return made


def row_properties(row: Any, *, header: bool, height: int) -> None:
    properties = row._tr.get_or_add_trPr()
    for name, wanted in (("w:cantSplit", True), ("w:tblHeader", header)):
        if wanted:
            properties.append(OxmlElement(name))
    tall = OxmlElement("w:trHeight")
    tall.set(qn("w:val"), str(height))
    tall.set(qn("w:hRule"), "atLeast")
    properties.append(tall)


def table_style(document: Any, name: str, font: str) -> None:
    """A paragraph style for cells: fonts stand once in the style, not in thousands of cells."""
    style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.font.name, style.font.size = font, Pt(14)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for kind in ("w:eastAsia", "w:ascii", "w:hAnsi", "w:cs"):
        fonts.set(qn(kind), font)
    style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.line_spacing = 1


def cell(target: Any, text: str, style: str) -> None:
    target.paragraphs[0].style = style
    target.paragraphs[0].add_run(text)
    centre = OxmlElement("w:vAlign")
    centre.set(qn("w:val"), "center")
    target._tc.get_or_add_tcPr().append(centre)


def slim(document: Any) -> None:
    """Drops what the blank document brings along and no list needs: 150 styles, effects, numbering, a thumbnail."""
    styles = document.styles
    kept = {
        "Normal",
        "Header",
        "Footer",
        "Table Grid",
        "Normal Table",
        "Default Paragraph Font",
        "List Head",
        "List Cell",
    }
    for style in list(styles):
        if style.name not in kept:
            style.element.getparent().remove(style.element)
    for latent in styles.element.findall(qn("w:latentStyles")):
        styles.element.remove(latent)
    wanted = (
        "styles",
        "settings",
        "fontTable",
        "theme",
        "header",
        "footer",
        "officeDocument",
        "core-properties",
        "extended-properties",
    )
    for owner in (document.part, document.part.package):
        for key, relation in list(owner.rels.items()):
            if not relation.reltype.endswith(wanted):
                del owner.rels[key]


def build() -> Any:
    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2)
    page.top_margin, page.bottom_margin = Cm(2.2), Cm(1.9)
    page.header_distance = page.footer_distance = Cm(1)
    head = page.header.paragraphs[0]
    head.alignment = WD_ALIGN_PARAGRAPH.CENTER
    write(head, "{{ bureau }}　{{ place }}　公示日期：{{ period }}", size=10.5)
    foot = page.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    write(foot, "第 ", size=10.5)
    field(foot, "PAGE")
    write(foot, " 页 共 ", size=10.5)
    field(foot, "NUMPAGES")
    write(foot, " 页", size=10.5)

    title = paragraph(document, "", indent=False, spacing=34)
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    write(title, "{{ title }}", font=TITLE, size=22)
    paragraph(document, "{%p if subtitle %}")
    below = paragraph(document, "", indent=False)
    below.alignment = WD_ALIGN_PARAGRAPH.CENTER
    write(below, "{{ subtitle }}", size=16)
    paragraph(document, "{%p endif %}")
    paragraph(document, "", spacing=10)
    paragraph(document, "{%p for clause in clauses %}")
    clause = paragraph(document, "")
    write(clause, "{{ clause.label }}：", font=TITLE)
    write(clause, "{{ clause.text }}。")
    paragraph(document, "{%p endfor %}")
    paragraph(document, "", spacing=10)

    table_style(document, "List Head", TITLE)
    table_style(document, "List Cell", BODY)
    table = document.add_table(rows=4, cols=3)
    table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    for column in table.columns:
        column.width = WIDTH // 3
    row_properties(table.rows[0], header=True, height=640)
    for at, text in enumerate(("{%tc for column in columns %}", "{{ column }}", "{%tc endfor %}")):
        cell(table.cell(0, at), text, "List Head")
    cell(table.cell(1, 0), "{%tr for row in rows %}", "List Cell")
    row_properties(table.rows[2], header=False, height=612)
    for at, text in enumerate(("{%tc for value in row %}", "{{ value }}", "{%tc endfor %}")):
        cell(table.cell(2, at), text, "List Cell")
    cell(table.cell(3, 0), "{%tr endfor %}", "List Cell")

    paragraph(document, "", spacing=10)
    paragraph(document, "{{ statement }}").paragraph_format.keep_with_next = True
    for text in ("{{ bureau }}", "{{ signed }}"):
        signature = paragraph(document, text, indent=False)
        signature.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        signature.paragraph_format.keep_with_next = text != "{{ signed }}"
        signature.paragraph_format.right_indent = Pt(28)
    properties = document.core_properties
    properties.author, properties.title, properties.comments = "", "{{ title }}", ""
    properties.last_modified_by, properties.revision = "", 1
    properties.created = properties.modified = datetime(2026, 1, 1)
    slim(document)
    return document


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "templates/posting/list.docx"
    target.parent.mkdir(parents=True, exist_ok=True)
    build().save(str(target))
