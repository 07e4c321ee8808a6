"""Doubts about one line of a roll (``data/checks.toml``): what it says, or that it is there at all, against what registers and other rolls know.

Each check is a condition in the words of ``policy/vocabulary.py``; unknown (NULL) is never a doubt. A check against a register is
judged only when that register was imported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from jiuzhu_cli.dedupe.circumstances import COLUMNS, make_tables, tables_of
from jiuzhu_cli.dedupe.terms import DUE, compiled, in_force
from jiuzhu_cli.policy.expression import words_of

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Check

WORDS = DUE | COLUMNS

_TABLE = """
CREATE TABLE checked (kind VARCHAR, code VARCHAR, rule VARCHAR, severity VARCHAR, place INTEGER, month VARCHAR, row_a BIGINT, row_b BIGINT,
  id_no VARCHAR, name VARCHAR, programme VARCHAR, town VARCHAR, id_no_b VARCHAR, name_b VARCHAR, against VARCHAR, share_fen BIGINT,
  case_fen BIGINT, fact VARCHAR)
"""
_CHECK = """
INSERT INTO checked
SELECT '{kind}', '{code}', '{rule}', '{severity}', {place}, a.month, a.row_id, {row_b}, a.id_no, a.name, a.programme, a.town,
  {id_b}, {name_b}, '{against}', a.share_fen, a.case_fen, {fact}
FROM holding a {joins}
WHERE a.month IN ({months}) AND {on} AND {condition}
"""
# One of a code, person, programme and month: the strong one first, then in the order of the file. A hint about what a line says adds
# nothing where the person is doubled on another roll anyway.
_HITS = """
INSERT INTO hit
SELECT concat_ws('|', kind, code, programme, id_no), kind, code, rule, severity, month, row_a, row_b, id_no, name, programme, town,
  coalesce(id_no_b, ''), coalesce(name_b, ''), against, '', coalesce(share_fen, 0), coalesce(share_fen, 0), coalesce(case_fen, 0), fact
FROM checked c
WHERE NOT (kind = 'claim' AND severity = 'candidate' AND EXISTS (
  SELECT 1 FROM hit h WHERE h.kind = 'double' AND h.severity = 'strong' AND h.month = c.month AND h.id_no_a = c.id_no))
QUALIFY row_number() OVER (PARTITION BY code, programme, id_no, month ORDER BY severity DESC, place, row_a) = 1
"""


def find_by_checks(connection: Tables, policy: Policy, months: Collection[str]) -> list[dict[str, object]]:
    """Adds what the checks find to ``hit``; ``fact`` is ``word=value|…`` of the words that the code's wording names.

    Returns which registers are wanting for checks: ``kind, programme, town, month, persons, reason``.
    """
    there = {f"register:{row[0]}" for row in connection.execute("SELECT DISTINCT register FROM register_coverage").fetchall()}  # fmt: skip
    on_roll = {row[0] for row in connection.execute("SELECT DISTINCT programme FROM holding").fetchall()}
    wanting: dict[str, list[str]] = {}
    connection.execute(_TABLE)
    for place, check in enumerate(policy.checks):
        held = [month for month in sorted(months) if in_force(check, policy, month)]
        if not held or (check.on and not on_roll & set(check.on)):
            continue
        if check.against.startswith("register:") and check.against not in there:
            wanting.setdefault(check.against, []).append(check.code)
            continue
        _run(connection, policy, check, held, place)
    connection.execute(_HITS)
    unjudged: list[dict[str, object]] = []
    for against, codes in wanting.items():
        names = "、".join(dict.fromkeys(policy.doubts[code].name for code in codes))
        reason = f"{policy.registers[against[9:]].name}没有导入，“{names}”不判"
        unjudged.append({"kind": policy.doubts[codes[0]].kind, "programme": against, "town": "", "month": max(months), "persons": 0, "reason": reason})  # fmt: skip
    return unjudged


def _run(connection: Tables, policy: Policy, check: Check, months: Sequence[str], place: int) -> None:
    code = policy.doubts[check.code]
    said = [word for word in WORDS if f"{{{word}}}" in code.says]
    tables = tables_of([*words_of(check.when), *said])
    make_tables(connection, tables)
    joins = [one.joined for one in tables]
    carrying = next((one for one in tables if one.register and check.against == f"register:{one.register}"), None)
    line = f"{carrying.table}.line" if carrying else ""
    name = f"{carrying.table}.line_name" if carrying else ""
    if not carrying and check.against.startswith("register:"):  # the line that holds in the month, if any
        joins.append(f"LEFT JOIN standing line ON line.programme = '{check.against}' AND line.id_no = a.id_no AND line.month = a.month")  # fmt: skip
        line, name = "line.row_id", "line.name"
    own_id = "kin.line_id" if line == "kin.line" else f"CASE WHEN {line} IS NOT NULL THEN a.id_no END"
    facts = ", ".join(f"'{word}=' || coalesce(CAST({_plain(word)} AS VARCHAR), '')" for word in said)
    connection.execute(
        _CHECK.format(
            kind=code.kind,
            code=check.code,
            rule=check.id,
            severity=check.severity,
            place=place,
            row_b=f"-{line}" if line else "NULL",
            id_b=own_id if line else "NULL",
            name_b=name or "NULL",
            against=check.against,
            fact=f"concat_ws('|', {facts})" if facts else "''",
            joins=" ".join(joins),
            months=", ".join(f"'{month}'" for month in months),
            on=f"a.programme IN ({', '.join(repr(one) for one in check.on)})" if check.on else "TRUE",
            condition=compiled(check.when, check.at(f"检查 {check.id} 的条件"), policy, months, WORDS),
        )
    )


def _plain(word: str) -> str:
    column = WORDS[word]
    return column if isinstance(column, str) else f"({column.over}) / ({column.under})"
