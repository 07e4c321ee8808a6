"""Money that went out and was not owed (追缴): what the record itself shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.ledger.keys import same_id
from jiuzhu_cli.ledger.snapshot import DEATH_REGISTERS, death_day, death_stands
from jiuzhu_cli.ledger.store import Store

_PAID = (
    "SELECT l.line_id, o.programme, o.month, o.recipient_id_no, o.recipient_name, o.town, o.village, o.item, l.amount_fen, l.state,"
    " l.payment_id, {over} AS over_fen, '{code}' AS code, {reason} AS reason, {detail} AS detail FROM {source} JOIN obligation o ON {join}"
    " JOIN payment_line l ON l.obligation_id = o.obligation_id AND l.state IN ('sent','paid') WHERE {where}"
)
_NO_TWIN = "(NOT {0}.twin OR {0}.area IN (o.town, o.town || '/' || o.village))"
_SIDE_OF_DOUBT = (
    "SELECT doubt_id, basis, month_from, month_to, id_no_{s} AS id_no, programme_{s} AS programme, area_{s} AS area,"
    " id_no_a = id_no_b AND programme_a = programme_b AS twin FROM doubt WHERE severity = 'strong' AND disposition IN ({which})"
)
_SIDES = "(" + " UNION ALL ".join(
    _SIDE_OF_DOUBT.format(s=s, which=f"'stop_{s}', 'stop_both', 'stopped_{s}', 'stopped_both'") for s in "ab"
) + ") s"  # fmt: skip
# what somebody says has come back (已追回): the side's money of the months decided on
_CAME_BACK = " UNION ALL ".join(
    f"SELECT d.id_no_{s} AS id_no, d.programme_{s} AS programme, d.area_{s} AS area, m.month, d.doubt_id,"
    " d.id_no_a = d.id_no_b AND d.programme_a = d.programme_b AS twin FROM doubt d JOIN doubt_month m USING (doubt_id)"
    f" WHERE d.disposition IN ('recovered_{s}', 'recovered_both') AND m.decided_fen IS NOT NULL"
    for s in "ab"
)
_DEAD = (
    f"(SELECT r.id_no, MIN({death_day('r')}) AS event_date FROM batch b JOIN register_row r USING (batch_id) WHERE b.kind = 'register' AND"
    f" b.status = 'active' AND b.programme IN {DEATH_REGISTERS} AND {death_day('r')} IS NOT NULL AND {death_stands('r.status')} GROUP BY r.id_no) s"
)
# cause → query; the more certain cause first, since a line is recovered once
_RECOVERIES = {
    "dead": _PAID.format(
        over="l.amount_fen",
        code="dead",
        reason="'死亡日期 ' || s.event_date",
        detail="s.event_date",
        source=_DEAD,
        join="o.recipient_id_no = s.id_no",
        where="o.month > SUBSTR(s.event_date, 1, 7)",
    ),
    "doubt": _PAID.format(
        over="l.amount_fen",
        code="doubt_confirmed",
        reason="'疑点 ' || s.doubt_id || ' 已确认停发：' || s.basis",
        detail="''",
        source=_SIDES,
        join="o.recipient_id_no = s.id_no AND o.programme = s.programme",
        where=f"o.month BETWEEN s.month_from AND s.month_to AND {_NO_TWIN.format('s')}",
    ),
    "stopped": _PAID.format(
        over="l.amount_fen",
        code="stopped",
        reason="'停发决定 ' || s.case_id || '，自 ' || s.effective_month || ' 起'",
        detail="''",
        source="proposal s",
        join="o.recipient_id_no = s.id_no AND o.programme = s.programme",
        where="s.state = 'effective' AND s.action = 'stop' AND o.item = '' AND o.month >= s.effective_month AND NOT EXISTS (SELECT 1 FROM"
        " proposal n WHERE n.id_no = s.id_no AND n.programme = s.programme AND n.state = 'effective' AND n.action <> 'stop'"
        " AND n.effective_month > s.effective_month AND n.effective_month <= o.month)",
    ),
    "overpaid": _PAID.format(
        over="l.amount_fen - r.amount_fen",
        code="overpaid",
        reason="'更正后的名册金额较低'",
        detail="''",
        source="batch s JOIN roll_row r ON r.batch_id = s.batch_id AND r.lead = 1",
        join="o.recipient_id_no = COALESCE(NULLIF(r.head_id_no, ''), r.id_no) AND o.programme = s.programme AND o.month = s.month",
        where="s.kind = 'roll' AND s.status = 'active' AND s.supersedes IS NOT NULL AND o.item = '' AND o.case_id = ''"
        " AND r.amount_fen < l.amount_fen",
    ),
    "withdrawn": _PAID.format(
        over="l.amount_fen",
        code="withdrawn",
        reason="'更正后的名册里已没有此人'",
        detail="''",
        source="batch s JOIN roll_row r ON r.batch_id = s.batch_id",
        join="o.roll_row_id = r.row_id AND o.recipient_id_no = COALESCE(NULLIF(r.head_id_no, ''), r.id_no)",
        where="s.status IN ('superseded','undone') AND o.item = '' AND NOT EXISTS (SELECT 1 FROM roll_row n JOIN batch nb ON"
        " nb.batch_id = n.batch_id AND nb.status = 'active' AND nb.kind = 'roll' AND nb.programme = o.programme AND nb.month = o.month"
        f" WHERE {same_id('n', 'o.recipient_id_no')})",
    ),
}


def recoveries(store: Store, *, month: str = "", grace: Mapping[str, int] | None = None) -> list[dict[str, Any]]:
    """Lines sent or paid that should not have been: one row per line, under its most certain cause.

    Columns: ``line_id, programme, month, recipient_id_no, recipient_name, town, village, item, amount_fen, state, payment_id,
    over_fen`` (分 to be recovered), ``code`` (dead, doubt_confirmed, stopped, overpaid, withdrawn), ``reason``.
    ``grace``: programme → months after a death in which payment to the household is still in order. What a doubt's result says has
    come back (已追回) is left out, whatever the cause.
    """
    seen = {row["line_id"] for row in recovered_lines(store)}
    found = []
    for code, sql in _RECOVERIES.items():
        only = " AND o.month = ?" if month else ""
        for row in store.query(sql + only + " ORDER BY o.month, o.town, l.line_id", (month,) if month else ()):
            late = code == "dead" and row["month"] <= add_months(
                row["detail"][:7], (grace or {}).get(row["programme"], 0)
            )
            if row["line_id"] not in seen and not late:
                seen.add(row["line_id"])
                found.append(dict(row))
    return found


def recovered_lines(store: Store, doubt_id: str = "") -> list[dict[str, Any]]:
    """Lines sent or paid that a doubt's result (已追回) says have come back: ``doubt_id, line_id, payment_id, programme, month, amount_fen``."""
    rows = store.query(
        f"SELECT b.doubt_id, l.line_id, l.payment_id, o.programme, o.month, l.amount_fen FROM ({_CAME_BACK}) b JOIN obligation o"
        " ON o.recipient_id_no = b.id_no AND o.programme = b.programme AND o.month = b.month"
        " JOIN payment_line l ON l.obligation_id = o.obligation_id AND l.state IN ('sent','paid')"
        f" WHERE {_NO_TWIN.format('b')} AND ?1 IN ('', b.doubt_id) ORDER BY o.month, l.line_id",
        (doubt_id,),
    )
    return [dict(row) for row in rows]
