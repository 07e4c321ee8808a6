"""What a new roll changes is looked at before it is taken in: told, warned of, or first asked about.

Told: everyone whose account is another. Warned of: persons or amounts more or less by ``alarm_pct`` percent. Asked about, and
not stored until somebody says so: half of the people gone, half of the accounts other ones, amounts a head half as much again.
Lists whose persons number less than ``alarm_persons`` give no alarm: there one family is a tenth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa

from jiuzhu_cli.core.finding import Finding, Severity, SourceRef
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.intake.areas import UNKNOWN
from jiuzhu_cli.intake.compare import MONTHLY, MONTHS_BACK, SHOWN, Comparison, Line, compare
from jiuzhu_cli.ledger import earlier
from jiuzhu_cli.ledger.earlier import EarlierRoll
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy

if TYPE_CHECKING:
    from jiuzhu_cli.intake.save import ListOfFile

_ORDINAL = re.compile(r"第\d+批")
_ACCEPT = "打开核对结果里的“{sheet}”表逐项核对；确实如此，加 --accept-change 再导入"
SHEETS = {"month": "与上月比", "old": "与原表比"}


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares in percent; ``alarm_persons``: smaller lists give no alarm."""

    alarm_pct: int = 20
    ask_pct: int = 50
    alarm_persons: int = 20

    @classmethod
    def of(cls, workspace: Workspace) -> Limits:
        """From ``[import]`` of jiuzhu.toml."""
        names = ("alarm_pct", "ask_pct", "alarm_persons")
        return cls(**{name: int(workspace.get("import", name, getattr(cls(), name))) for name in names})


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at lists of ``policy``'s monthly programmes; ``accept``: somebody has said yes to what would be asked."""

    policy: Policy
    limits: Limits
    accept: bool = False

    def lets_pass(self, store: Store, one: ListOfFile, replaced: Sequence[int], live: Sequence[int]) -> bool:
        """Compares a list that is about to be saved. False when it is to be asked about first: then it is settled so.

        ``replaced``: the live batches that it would correct; ``live``: the others of this programme, month and place.
        """
        self.compare(store, one, replaced, live)
        doubts = [doubt for found in one.compared.values() for doubt in self._doubts(found)]
        if not doubts or self.accept:
            one.accepted_change = "；".join(dict.fromkeys(doubts))
            return True
        sheet = SHEETS["month" if "month" in one.compared else "old"]
        one.settle("ask", "；".join(dict.fromkeys(doubts)), _ACCEPT.format(sheet=sheet))
        return False

    def compare_again(self, store: Store, one: ListOfFile) -> None:
        """For a list that the record holds already: what was said when it came in."""
        assert one.batch is not None
        replaced, live = earlier.replaced_and_beside(store, one.batch)
        self.compare(store, one, replaced, live)

    def compare(self, store: Store, one: ListOfFile, replaced: Sequence[int], live: Sequence[int]) -> None:
        """Puts into ``one.compared`` what differs from last month and from the roll replaced, and its findings to the tables."""
        programme = self.policy.programmes.get(one.programme)
        if one.kind != "roll" or programme is None or one.supplements is not None or one.area == UNKNOWN:
            return
        befores: list[tuple[str, str, list[int], pa.Table]] = []
        if programme.benefit in MONTHLY and one.month:
            month, batches, town, village, category = _before(store, one)
            if batches:
                rows = earlier.recorded(store, batches, town=town, village=village, category=category)
                befores.append(("month", month, batches, rows))
        if replaced:
            befores.append(("old", one.month, list(replaced), earlier.recorded(store, replaced)))
        befores = [before for before in befores if before[3].num_rows]
        if not befores:
            return
        others = earlier.ids_of(store, live) if live else None
        now, refused = _rows_now(store, one), _refused(one)
        told: set[tuple[int, int]] = set()
        for which, month, batches, rows in befores:
            found = compare(now, rows, month=month, batches=batches, others=others if which == "month" else None, refused=refused)  # fmt: skip
            one.compared[which] = found
            _account_findings(one, found, which, told)
            if which == "month":
                self._alarms(one, found)
        if "month" in one.compared:
            one.results[0].last_month = one.compared["month"]

    def _alarms(self, one: ListOfFile, found: Comparison) -> None:
        """Warnings that persons or amounts are far more or less than before."""
        if max(found.persons_before, found.persons_after) < self.limits.alarm_persons:
            return
        if (change := _percent(found.persons_before, found.persons_after)) and abs(change) >= self.limits.alarm_pct:
            _blame(one, "persons_jump", month=found.month, before=found.persons_before, after=found.persons_after,
                   word="多" if change > 0 else "少", pct=abs(change))  # fmt: skip
        before, after = found.compared_fen_before, found.amount_fen_after
        if (change := _percent(before, after)) and abs(change) >= self.limits.alarm_pct:
            _blame(one, "amount_jump", month=found.month, before=yuan(before, grouped=True), after=yuan(after, grouped=True),
                   word="多" if change > 0 else "少", pct=abs(change))  # fmt: skip

    def _doubts(self, found: Comparison) -> list[str]:
        """Why the list should not be taken in without a word, in Chinese."""
        if found.persons_before < self.limits.alarm_persons:
            return []
        out, much, month = [], self.limits.ask_pct, f"与 {found.month} 相比"
        if (change := _percent(found.persons_before, found.persons_after)) <= -much:
            out.append(f"{month}，人数从 {found.persons_before} 减到 {found.persons_after}（少 {-change}%）")
        accounts = sum(line.kind in ("账号换了", "账号和户名都换了") for line in found.lines)
        if found.cases and accounts * 100 >= much * found.cases:
            out.append(f"{month}，{found.cases} 户里有 {accounts} 户换了账号，可能是账号列错了行")
        if found.compared_fen_before and found.compared_before and found.taken:
            each = found.amount_fen_after * found.compared_before / (found.taken * found.compared_fen_before)
            if abs(each - 1) * 100 >= much and found.taken >= self.limits.alarm_persons:
                out.append(f"{month}，平均每人的金额是原来的 {each:.1f} 倍")
        return out


def _percent(before: int, after: int) -> int:
    return round((after - before) * 100 / before) if before else 0


def _before(store: Store, one: ListOfFile) -> tuple[str, list[int], str, str, str]:
    """The rolls of the latest earlier month that hold this list: month, batches; town, village, category to pick their rows by."""
    rolls = earlier.earlier_rolls(store, one.programme, one.month, add_months(one.month, -MONTHS_BACK))
    for month, group in groupby(rolls, key=lambda roll: roll.month):
        near = [roll for roll in group if _same_list(roll, one)]
        if near:
            wide = any(_holds(roll.area, one.area) for roll in near)
            town, _, village = one.area.partition("/") if wide else ("", "", "")
            category = one.category if any(not _category(roll.part) for roll in near) else ""
            return month, [roll.batch_id for roll in near], town, village, category
    return "", [], "", "", ""


def _same_list(roll: EarlierRoll, one: ListOfFile) -> bool:
    """The same place or one that holds it or is held by it; no other category, no other 第几批."""
    if (
        not (roll.area == one.area or _holds(roll.area, one.area) or _holds(one.area, roll.area))
        or roll.area == UNKNOWN
    ):
        return False
    category, ordinal = _category(roll.part), "".join(_ORDINAL.findall(roll.part))
    if category and one.category and category != one.category:
        return False
    return not one.ordinal or ordinal == one.ordinal or (one.ordinal == "第1批" and not ordinal)


def _holds(wide: str, narrow: str) -> bool:
    return wide != narrow and (wide == "" or narrow.startswith(wide + "/"))


def _category(part: str) -> str:
    return _ORDINAL.sub("", re.sub(r"p\d+$", "", part))


def _rows_now(store: Store, one: ListOfFile) -> pa.Table:
    """The list's persons in the columns of ``ledger.earlier``."""
    if one.rows is None:
        assert one.incoming is not None
        return earlier.staged(store, one.incoming.source, one.incoming.columns)
    kinds = dict.fromkeys(earlier.TEXTS, pa.string()) | dict.fromkeys(earlier.NUMBERS, pa.int64())
    held, count = one.rows.column_names, one.rows.num_rows
    return pa.table({name: one.rows.column(name) if name in held else pa.nulls(count, kind) for name, kind in kinds.items()})  # fmt: skip


def _refused(one: ListOfFile) -> pa.Table:
    """ID, name and village of the persons on rows that are sent back."""
    parts = []
    for prepared in one.tables:
        rows = prepared.rows
        if rows is not None and rows.refused.any():
            picked = pa.array(rows.refused.nonzero()[0])
            columns = {
                name: pa.array(rows.get(name).array.take(picked), pa.string()) for name in ("id_no", "name", "village")
            }
            parts.append(pa.table(columns))
    return (
        pa.concat_tables(parts)
        if parts
        else pa.table({name: pa.array([], pa.string()) for name in ("id_no", "name", "village")})
    )


def _account_findings(one: ListOfFile, found: Comparison, which: str, told: set[tuple[int, int]]) -> None:
    """A warning at each account that is another than before; of very many only those whose payee is another, too."""
    lines = [line for line in found.accounts if line.row and (line.table_no, line.row) not in told]
    if len(lines) > SHOWN:
        _blame(one, "accounts_changed", month=_said(found, which), count=len(lines), sheet=SHEETS[which])
        lines = [line for line in lines if line.kind == "账号和户名都换了"][:SHOWN]
    for line in lines:
        told.add((line.table_no, line.row))
        code = {"账号和户名都换了": "account_and_payee_changed", "账号没有了": "account_gone"}.get(
            line.kind, "account_changed"
        )
        _blame(one, code, line=line, month=_said(found, which), before=line.before or "空白", after=line.after or "空白",
               severity="notice" if line.kind == "原来没有账号" else "warning")  # fmt: skip


def _said(found: Comparison, which: str) -> str:
    return found.month if which == "month" else "更正前"


def _blame(
    one: ListOfFile, code: str, *, line: Line | None = None, severity: Severity = "warning", **values: str | int
) -> None:
    place = line.table_no - 1 if line is not None else 0
    prepared = one.tables[place]
    field = "amount_fen" if code == "amount_jump" else "account_no" if "account" in code else ""
    column = prepared.rows.columns.get(field) if prepared.rows is not None else None
    where = SourceRef(
        prepared.file, prepared.table.sheet, line.row if line else 0, column.letters if line and column else ""
    )
    shown = str(values.get("after", "")) if line is not None else ""
    if column is not None:
        values["header"] = column.header
    finding = Finding(code, severity, where, field, shown, values)
    prepared.findings.append(finding)
    one.results[place].findings.append(finding)


__all__ = ["SHEETS", "Limits", "Watch"]
