"""What an import asks at a terminal: which of several columns is meant. Once, and only where somebody sits there."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from jiuzhu_cli.cli.context import Context
    from jiuzhu_cli.intake.result import ImportResult
    from jiuzhu_cli.policy.load import Policy

_ASKED = {
    "id_column_ambiguous": "身份证号",
    "name_column_ambiguous": "姓名",
    "amount_column_ambiguous": "发放金额",
    "account_column_ambiguous": "银行账号",
}


def said_columns(policy: Policy, pairs: Iterable[str], paths: Sequence[Path]) -> dict[str, str]:
    """``--map`` as a mapping of headers to fields.

    UsageError for what is no pair, for fields that there are not, and for letters of columns where several files are read:
    the same letters are other columns there.
    """
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.intake.headers import Lexicon

    told = dict(pair.partition("=")[::2] for pair in pairs)
    if any(not key.strip() or not value.strip() for key, value in told.items()):
        raise UsageError("--map 要写成 表头=字段", "例如 --map 打款数=发放金额")
    words = Lexicon(policy) if told else None
    fields = [entry.name for entry in policy.glossary.values() if entry.use != "derived"]
    for value in told.values():
        code = words.field_code(value) if words is not None else ""
        if code is None or (code and policy.glossary[code].use == "derived"):
            near = "、".join(difflib.get_close_matches(value, fields, n=3, cutoff=0.3))
            raise UsageError(
                f"--map 里不认识字段“{value}”" + (f"，是不是：{near}？" if near else ""),
                "用 jiuzhu policy list --fields 查看全部字段；不用的列写 忽略",
            )
    several = len(paths) != 1 or not paths[0].is_file() or paths[0].suffix.lower() == ".zip"
    letters = [key for key in told if re.fullmatch("[A-Z]{1,3}|[a-z]", key.strip())]
    if several and letters:
        raise UsageError(
            f"--map {letters[0]}=… 用的是列号，只能在导入一个文件时用", "写表头的文字，或把那个文件单独导入"
        )
    return told


def said_programmes(policy: Policy, words: Iterable[str]) -> tuple[str, dict[str, str]]:
    """``--programme`` as what is said of whole files ('' when nothing is) and of single sheets by name.

    UsageError for a programme or register that there is not, and where two are said of the same.
    """
    from jiuzhu_cli.core.errors import UsageError

    whole = ""
    sheets: dict[str, str] = {}
    for word in words:
        sheet, said, name = re.sub("＝", "=", word).rpartition("=")
        name, sheet = name.strip(), sheet.strip()
        if not name or (said and not sheet):
            raise UsageError("--programme 要写项目，或 表名=项目", "例如 --programme 低保，--programme Sheet2=护理补贴")
        _check_known(policy, name)
        before = sheets.get(sheet, name) if said else whole or name
        if before != name:
            raise UsageError(
                f"--programme 说了两次：{before}、{name}", "一个文件或一张工作表只说一个；分表写 表名=项目"
            )
        if said:
            sheets[sheet] = name
        else:
            whole = name
    return whole, sheets


def _check_known(policy: Policy, text: str) -> None:
    from jiuzhu_cli.core.errors import UsageError

    if text in policy.programmes or text in policy.registers:
        return
    try:
        policy.programme(text)
    except UsageError:
        try:
            policy.register(text)
        except UsageError:
            raise UsageError(
                f"没有叫“{text}”的项目或名单",
                "用 jiuzhu policy list --programmes、jiuzhu policy list --registers 查看全部",
            ) from None


def unmet_sheets(told: Iterable[str], result: ImportResult) -> list[str]:
    """Names of sheets that ``--programme`` spoke of and no file has."""
    from jiuzhu_cli.core.text import compact

    met = {compact(one.sheet) for one in result.tables} | {
        compact(finding.source.sheet) for one in result.tables for finding in one.findings
    }
    return [sheet for sheet in told if compact(sheet) not in met]


def answers_at_terminal(context: Context, result: ImportResult) -> dict[str, dict[str, str]]:
    """File → columns as just answered, for lists that were refused because two columns may be meant; {} where nobody can answer."""
    if context.json or context.quiet or context.yes or context.dry_run:
        return {}
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return {}
    out: dict[str, dict[str, str]] = {}
    for one in result.tables:
        for finding in one.findings if one.status == "refused" else ():
            letters = str(finding.values.get("letters", "")).split("、")
            if finding.code not in _ASKED or len(letters) < 2:
                continue
            question = f"{one.file}：{finding.values['columns']}，哪一列是{_ASKED[finding.code]}？"
            told = typer.prompt(
                f"{question}（{'/'.join(letters)}，直接回车：先不导入）", default="", show_default=False, err=True
            )
            if told.strip().upper() in letters:
                out.setdefault(one.file, {})[told.strip().upper()] = _ASKED[finding.code]
    return out
