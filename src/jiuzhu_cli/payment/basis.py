"""What a payment line rests on (发放依据), frozen when it is drafted: programme, month, policy, the parameters of that day, roll, decision.

Lines of one roll and town share one basis; a line whose amount a review decided has one of its own. What differs from line to line (persons,
basic, added and care amounts) stands on the line as ``parts``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import last_day
from jiuzhu_cli.policy.expression import words_of

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Programme

# of the plan's lines: JSON without spaces, keys always in this order
PARTS_SQL = (
    "concat('{\"persons\":', persons, coalesce(',\"base_fen\":' || base_fen, ''), coalesce(',\"addon_fen\":' || addon_fen, ''),"
    " coalesce(',\"care_fen\":' || care_fen, ''),"
    " coalesce(',\"agreement\":' || agreement_row, ''), '}')"
)


def bases(policy: Policy, kinds: pa.Table, rolls: pa.Table, decided: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """``basis_no, content`` of ``kinds`` (``basis_no, programme, month, batch_id, town, case_id``); ``rolls``: ``batch_id, file_name, file_sha256``.

    ``decided``: the review decisions by case ID, as ``payables.decided`` reads them.
    """
    import pyarrow as pa

    files = {row["batch_id"]: row for row in rolls.to_pylist()}
    values: dict[tuple[str, str], list[dict[str, Any]]] = {}
    contents = []
    for row in kinds.to_pylist():
        code, month = row["programme"], row["month"]
        if (code, month) not in values:
            programme = policy.programmes.get(code)
            values[code, month] = parameters_of(policy, programme, last_day(month)) if programme else []
        roll = files[row["batch_id"]]
        content: dict[str, Any] = {
            "programme": code, "town": row["town"], "month": month, "months": 1, "policy": policy.digest, "parameters": values[code, month],
            "roll": {"batch": row["batch_id"], "file": roll["file_name"], "sha256": roll["file_sha256"]},
        }  # fmt: skip
        if row["case_id"]:
            content["case"] = dict(decided.get(row["case_id"], {"case_id": row["case_id"]}))
        contents.append(json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    return pa.table({"basis_no": kinds["basis_no"], "content": pa.array(contents, pa.string())})


def parameters_of(policy: Policy, programme: Programme, day: date) -> list[dict[str, Any]]:
    """The parameters that decide what ``programme`` pays on ``day`` (its tariffs, its review's roles, the caps it stands under), each with
    its value, unit, since when, source, and whether somebody confirmed it. Those without a value that day are left out."""
    known = set(policy.parameters.names())
    found = []
    for name in sorted(set(_names(policy, programme)) & known):
        try:
            value = policy.parameter_or_none(name, day)
        except PolicyError:  # a formula over what is not set here: nothing was paid by it
            continue
        if value is not None:
            found.append({
                "parameter": name, "value": str(value.value), "unit": value.unit, "since": value.since.isoformat(), "source": value.source,
                "confirmed": value.confirmed,
            })  # fmt: skip
    return found


def _names(policy: Policy, programme: Programme) -> Iterable[str]:
    for tariff in programme.tariffs:
        for amount in tariff.amounts.values():
            yield from words_of(amount, f"{programme.name}的标准")
        yield from filter(None, (tariff.plan, tariff.turning, tariff.switch))
    yield from programme.review.parameters.values()
    for relation in policy.relations:
        if relation.cap and programme.code in (relation.a, relation.b):
            yield from filter(None, (relation.cap, relation.switch))
