"""The programme or register of one table settled from all evidence, and its columns read in that light."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jiuzhu_cli.intake.columns import Understanding
from jiuzhu_cli.intake.headers import unit_of_lines
from jiuzhu_cli.intake.mapping import column_word, sender_of, to_remember
from jiuzhu_cli.intake.recognise import Evidence, Named, title_of_other_benefit
from jiuzhu_cli.intake.table import Problem, Table
from jiuzhu_cli.intake.work import Context, Work
from jiuzhu_cli.ledger.mappings import ColumnMapping


def find_programme(work: Work) -> tuple[Named | None, tuple[Named, ...]]:
    """The one programme or register, or several that the list holds together (() unless more than one)."""
    context, table = work.context, work.table
    told = [(proof, found) for proof in work.evidence if (found := context.names.in_text(proof.text))]
    if (
        work.evidence[0].place == "标题"
        and _foreign(work.evidence[0])
        and not context.names.in_text(work.evidence[0].text)
    ):
        # a title that names another benefit is not overruled by a file's name; what is never paid may be
        told = [pair for pair in told if pair[1][0][0] == "register"]
    told.sort(key=lambda pair: ("标题", "工作表名", "表头上方", "上文", "文件名", "文件夹").index(pair[0].place))
    form = (context.template.kind, context.template.code) if context.template is not None else None
    if told and form is not None:  # words that people see and change come first
        told.append((Evidence("模板", ""), (form,)))
    hinted = context.hinted(work.sheet.name)
    if hinted is not None:
        set_programme(table, hinted, "由 --programme 指定")
        if told and hinted not in told[0][1]:
            work.tell(
                "programme_conflict",
                "warning",
                first="--programme",
                second=told[0][0].shown(),
                chosen=name_of(context, hinted),
            )
        return hinted, ()
    if told:
        proof, found = told[0]
        for other, theirs in told[1:]:
            common = tuple(one for one in found if one in theirs)
            if (
                common and len(common) < len(found) and other.place in ("工作表名", "表头上方")
            ):  # a file's name may be short
                proof, found = other, common
            elif not common and other.place not in ("上文", "文件夹"):
                work.tell(
                    "programme_conflict",
                    "warning",
                    first=proof.shown(),
                    second=other.shown(),
                    chosen="、".join(name_of(context, one) for one in found),
                )
        if len(found) == 1:
            set_programme(table, found[0], proof.shown())
            return found[0], ()
        set_programme(table, found[0], proof.shown())
        return found[0], found
    foreign = next(filter(_foreign, work.evidence), None)
    if foreign is not None:
        work.tell("programme_unknown", "error", shown_text=foreign.shown())
        return None, ()
    if form is not None:
        set_programme(table, form, "模板")
        return form, ()
    keys = [key for key in work.body.header.keys().values() if key]
    fields = {context.lexicon.index.get(key, "") for key in keys}
    named, words = context.names.by_columns(keys, paid={"amount_fen", "account_no"} <= fields)
    if named is not None:
        set_programme(table, named, f"列名“{'、'.join(words[:3])}”")
        return named, ()
    return None, ()


def _foreign(proof: Evidence) -> bool:
    return proof.place in ("标题", "工作表名", "文件名") and title_of_other_benefit(proof.text)


def name_of(context: Context, named: Named) -> str:
    shapes: Any = context.policy.programmes if named[0] == "roll" else context.policy.registers
    return str(shapes[named[1]].name)


def set_programme(table: Table, named: Named, how: str) -> None:
    table.kind, table.code = named  # type: ignore[assignment]
    table.how["programme"] = how


def read_columns(work: Work, named: Named | None) -> None:
    context, table = work.context, work.table
    programme = context.policy.programmes.get(named[1]) if named and named[0] == "roll" else None
    words: Iterable[str] = ()
    if programme is not None:
        words = (word for many in programme.categories.values() for word in many)
    understanding = Understanding(
        work.grid,
        work.body,
        context.lexicon,
        mapping=context.hints.mapping,
        unit=unit_of_lines([proof.text for proof in work.evidence if proof.place in ("标题", "表头上方")]),
        kind=named[0] if named else "roll",
        register=named[1] if named and named[0] == "register" else "",
        code=named[1] if named else "",
        per_person=programme is None or programme.unit == "person",
        payable=programme is None or programme.benefit not in ("status", "service"),
        monthly=programme is not None
        and programme.benefit in ("top_up", "graded", "fixed")
        and ".." not in context.hints.month,
        category_words=frozenset(words),
        own_names=own_amount_words(context, named),
        memory=remembered_for(work),
        template=context.template.columns
        if context.template and named == (context.template.kind, context.template.code)
        else None,
        today=context.today,
    )
    understanding.resolve()
    table.columns = understanding.columns
    table.said, table.dropped = to_remember(work, understanding), understanding.dropped
    if understanding.used:
        table.how["mapping"] = "；".join(understanding.used)
    table.amount_from_parts = understanding.parts_sum
    work.columns = understanding
    for problem in understanding.problems:
        _tell_problem(work, problem)


def own_amount_words(context: Context, named: Named | None) -> tuple[str, ...]:
    """Names by which an amount column says whose it is, where two programmes stand in one list."""
    if named == context.names.living:
        return ("生活补贴",)
    if named == context.names.care:
        return ("护理补贴",)
    return ()


def remembered_for(work: Work) -> list[ColumnMapping]:
    """What was said before about lists of this programme from this sender."""
    kind, code = work.table.kind, work.table.code
    every = [one for one in work.context.hints.remembered if (one.kind, one.programme) == (kind, code)]
    sender = sender_of(work) if every else ""
    return [one for one in every if one.sender == sender]


_ASKED = {
    "id_column_missing": "id_no",
    "amount_column_missing": "amount_fen",
    "id_column_ambiguous": "id_no",
    "header_shifted": "id_no",
    "name_column_ambiguous": "name",
    "amount_column_ambiguous": "amount_fen",
    "amount_other_period": "amount_fen",
    "account_column_ambiguous": "account_no",
}


def example_of(work: Work, problem: Problem) -> str:
    """The very words to type: --map 保障金额=发放金额 或 --map F=发放金额."""
    names, view = work.context.lexicon.names, work.columns
    every = view.columns if view is not None else work.table.columns
    field = _ASKED.get(problem.code, "")
    shifted = problem.code == "header_shifted"  # the second column holds what the first one is called
    lines = [
        f"--map {column_word(column, every)}={names.get((not shifted and column.field) or field, '字段')}"
        for column in problem.columns[shifted:]
    ]
    return " 或 ".join(lines) or f"--map 列={names.get(field, '字段')}"


def _tell_problem(work: Work, problem: Problem) -> None:
    shown = "、".join(f"{column.letters}列“{column.header}”" for column in problem.columns)
    values: dict[str, str | int] = {"columns": shown, **problem.values}
    values["example"] = example_of(work, problem)
    if problem.columns:
        values["letters"] = "、".join(column.letters for column in problem.columns)
        told = problem.columns[0]
        by_content = problem.code == "column_by_content"
        values["header"] = work.context.lexicon.names.get(told.field, "") if by_content else told.header
    letters = problem.columns[0].letters if problem.columns else ""
    field = problem.columns[0].field if problem.columns else ""
    work.tell(problem.code, problem.severity, column=letters, field=field, **values)


def read_columns_again(work: Work, named: Named) -> None:
    """Columns read anew now that the programme is known; what was said about them before is forgotten."""
    said = {
        "amount_column_ambiguous",
        "amount_column_missing",
        "amount_other_period",
        "amount_from_standard",
        "amount_from_other",
        "amount_unit_conflict",
        "id_column_ambiguous",
        "header_shifted",
        "column_by_content",
        "members_unread",
        "back_pay_included",
        "back_pay_left_out",
        "mapping_used",
        "mapping_not_used",
        "mapping_not_kept",
        "mapping_dropped",
        "mapping_unfit",
    }
    said |= {"account_column_ambiguous", "id_column_missing", "name_column_ambiguous"}
    work.table.findings = [finding for finding in work.table.findings if finding.code not in said]
    work.table.fatal = any(finding.severity == "error" for finding in work.table.findings)
    read_columns(work, named)
