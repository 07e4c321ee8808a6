"""What a gate (关口) of payment is: one SQL query that says why a case is held back (拦下).

The queries run over the tables that ``candidates.prepare`` makes in DuckDB: ``candidate`` (one row a case to pay: ``n``, programme, area,
town, village, recipient, recipient_name, item, due_fen, row_id, account_no, bank, ...), ``member`` (``n, id_no``: every person of the case),
``side`` (the doubts, one row a side), ``decision``, ``posting``, ``objection``, ``dead``, ``owed``, ``one_off``, ``route``, ``unfit``,
``changed``, ``late``, ``setting``, and those of ``ledger.gates``. Each query gives ``n, reason, source``.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hold:
    """``todo`` tells the clerk how to mend it. ``releasable``: a reason and a second person let the case through; ``never`` says why not.

    ``switch``: the parameter that turns the gate off ('' cannot be turned off). ``limits``: names in the query ($share) → parameters whose
    value that month they are; without one the gate is off.
    """

    code: str
    name: str
    sql: str
    todo: str
    releasable: bool = False
    needs: str = (
        ""  # a table that the query joins: when it is empty nothing is held, and DuckDB need not plan the query
    )
    never: str = ""
    switch: str = ""
    limits: dict[str, str] = field(default_factory=dict)
