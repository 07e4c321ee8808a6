"""What ``import --explain`` says on the screen: how every column was understood and why, what was passed over, what would be asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.cli.context import TERMINAL, indented, shorten, table
from jiuzhu_cli.cli.imported import HOW

if TYPE_CHECKING:
    from jiuzhu_cli.intake.look import Seen

_HOW = HOW | {"area": "范围"}
_MOST_BLOCKS = 12


def explain_lines(seen: Iterable[Seen]) -> list[str]:
    """Everything about every table, line by line, within 100 columns."""
    lines: list[str] = []
    for one in seen:
        lines += ["", *_of_table(one)] if lines else _of_table(one)
    lines += ["", "以上只是看，没有导入。导入：去掉 --explain。"]
    return lines


def _of_table(one: Seen) -> list[str]:
    data = one.data
    lines = [shorten(f"{data['file']}　{data['sheet']}", TERMINAL)]

    def say(text: str, indent: str = "  ") -> None:
        lines.extend(indented(text, indent))

    if "columns" not in data:
        for text in dict.fromkeys([data["note"] or "没有找到台账", *(text for text, _ in one.questions)]):
            say(text)
        if data["todo"]:
            say(f"怎么办：{data['todo']}")
        return lines
    first, last = data["header_rows"]
    header = f"第 {first} 行" if first == last else f"第 {first}-{last} 行"
    rows = f"，数据第 {data['data_rows'][0]}-{data['data_rows'][1]} 行" if data["data_rows"] else ""
    say(f"表头在{header}{rows}，{data['rows']} 行：收下 {data['accepted']} 行，拒收 {data['refused']} 行")
    if data["refused_by"]:
        say("拒收的原因：" + "、".join(f"{name} {count} 行" for name, count in data["refused_by"].items()), "    ")
    known = {"programme": data["programme_name"], "month": data["month"], "area": data["area"] or "全区", "category": data["category"]}  # fmt: skip
    for key, word in known.items():
        why = data["how"].get(key, "")
        if word or why:
            say(f"{_HOW[key]}：{word or '—'}" + (f"　（{why}）" if why else ""))
    for key, why in data["how"].items():
        if key not in known:
            say(f"{_HOW.get(key, key)}：{why}")
    lines += ["", table([_column(column) for column in data["columns"]], ["列", "表头", "当作", "为什么", "单位"])]
    lines += _skipped(data["skipped"])
    for title, said in (("导入时会问、会退回的", one.questions), ("提示", one.remarks)):
        if said:
            lines += ["", f"  {title}："]
            for text, todo in dict.fromkeys(said):
                say(text + (f"。{todo}" if todo else ""), "    ")
    return lines


def _skipped(every: list[dict[str, str]]) -> list[str]:
    """Rows that are no data, with the reason."""
    blocks = [block for block in every if block["reason"] != "blank"]
    lines = [f"  第 {block['rows']} 行不当数据：{block['text']}" for block in blocks[:_MOST_BLOCKS]]
    if len(blocks) > _MOST_BLOCKS:
        lines.append(f"  …… 还有 {len(blocks) - _MOST_BLOCKS} 段，加 --json 看全部")
    if len(blocks) < len(every):
        lines.append(f"  另有 {len(every) - len(blocks)} 段空行")
    return ["", *lines] if lines else []


def _column(column: dict[str, Any]) -> tuple[str, ...]:
    unit = "、".join(word for word in (column["unit"], column["level"]) if word)
    return column["column"], column["header"].replace("|", " / "), column["name"] or "—", column["why"], unit
