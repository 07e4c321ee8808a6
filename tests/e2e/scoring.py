"""Scores what the program said against what the generator planted (``truth.json``)."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Case = dict[str, Any]
Doubt = dict[str, str]
RowKey = tuple[str, str, str, str]  # programme, month, town, ID


@dataclass
class Score:
    """``side``: further doubts about planted persons, which follow from the plant; they count neither for nor against."""

    found: list[Case] = field(default_factory=list)
    lost: list[Case] = field(default_factory=list)
    wrong: list[Doubt] = field(default_factory=list)
    side: list[Doubt] = field(default_factory=list)
    tolerated: list[Doubt] = field(default_factory=list)

    @property
    def recall(self) -> float:
        total = len(self.found) + len(self.lost)
        return len(self.found) / total if total else 1.0

    @property
    def precision(self) -> float:
        total = len(self.found) + len(self.wrong)
        return len(self.found) / total if total else 1.0

    def by_kind(self) -> dict[str, Score]:
        """The same, kind by kind."""
        kinds = dict.fromkeys(case["kind"] for case in (*self.found, *self.lost)) | dict.fromkeys(
            doubt["kind"] for doubt in self.wrong
        )
        return {
            kind: Score(
                *([one for one in group if one["kind"] == kind] for group in (self.found, self.lost, self.wrong))
            )
            for kind in kinds
        }

    def explain(self) -> str:
        lines = [
            f"recall {self.recall:.4f} precision {self.precision:.4f} side {len(self.side)} tolerated {len(self.tolerated)}"
        ]
        lines += [f"LOST  {c['kind']} {c['rule']} {c['persons']} {c['programmes']} {c['towns']}" for c in self.lost]
        lines += [
            f"WRONG {d['kind']}/{d['code']} {d['id_no_a']} {d['programme_a']}@{d['area_a']} | {d['id_no_b']} {d['programme_b']}@{d['area_b']} | {d['evidence']}"
            for d in self.wrong
        ]
        return "\n".join(lines)


def read_truth(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8")))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fits(case: Case, doubt: Doubt) -> bool:
    """Whether ``doubt`` says what ``case`` planted."""
    if case["kind"] != doubt["kind"]:
        return False
    persons, programmes = set(case["persons"]), case["programmes"]
    named = {doubt["id_no_a"], doubt["id_no_b"]} - {""}
    sides = {doubt["programme_a"], doubt["programme_b"]} - {""}
    if not named <= persons:
        return False
    if case["kind"] == "missed":
        return doubt["programme_b"] == programmes[1]
    if case["kind"] == "claim":
        return doubt["programme_a"] == programmes[0] and doubt["programme_b"] == programmes[1]
    if case["kind"] == "after_event":
        return programmes[0] in sides
    if case["kind"] == "double":
        return sides == set(programmes)
    return len(named) == 2  # account: any two of the holders


def score_doubts(truth: dict[str, Any], doubts: Iterable[Doubt]) -> Score:
    """Strong doubts against the planted cases. Candidates are left out: they only propose."""
    return _score(truth["planted"], truth["tolerated"], [d for d in doubts if d["severity"] == "strong"])


def score_candidates(truth: dict[str, Any], doubts: Iterable[Doubt], rules: Iterable[tuple[str, str]]) -> Score:
    """Candidates of these ``(kind, programme b)`` against the cases that the truth says are to be proposed; both severities count as found."""
    wanted = set(rules)
    return _score(
        truth["candidates"],
        truth["planted"] + truth["tolerated"],
        [d for d in doubts if (d["kind"], d["programme_b"]) in wanted],
    )


def _score(planted: list[Case], tolerated: list[Case], doubts: list[Doubt]) -> Score:
    """Case by case and doubt by doubt, those that share a person only: a city has a hundred thousand of either."""
    score = Score()
    cases_of, tolerated_of = _by_person(planted), _by_person(tolerated)
    doubts_of: dict[str, list[Doubt]] = {}
    for doubt in doubts:
        for id_no in {doubt["id_no_a"], doubt["id_no_b"]} - {""}:
            doubts_of.setdefault(id_no, []).append(doubt)
    for case in planted:
        near = (doubt for id_no in case["persons"] for doubt in doubts_of.get(id_no, ()))
        (score.found if any(fits(case, doubt) for doubt in near) else score.lost).append(case)
    for doubt in doubts:
        sides = (doubt["id_no_a"], doubt["id_no_b"])
        if any(fits(case, doubt) for case in cases_of.get(sides[0], ())):
            continue
        if any(fits(case, doubt) for case in tolerated_of.get(sides[0], ())):
            score.tolerated.append(doubt)
        elif any(side in cases_of for side in sides):
            score.side.append(doubt)
        else:
            score.wrong.append(doubt)
    return score


def _by_person(cases: list[Case]) -> dict[str, list[Case]]:
    out: dict[str, list[Case]] = {}
    for case in cases:
        for id_no in case["persons"]:
            out.setdefault(id_no, []).append(case)
    return out


def rows_of(truth: dict[str, Any], which: str) -> Counter[RowKey]:
    """How often each row stands on the generated rolls: ``persons`` readable, ``refused`` damaged, ``either`` doubtful."""
    return Counter((r["programme"], r["month"], r["town"], person) for r in truth["rolls"] for person in r[which])


def row_differences(truth: dict[str, Any], workspace: Path, *, recovered: bool = False) -> list[str]:
    """Readable rows that are not in the ledger as often as they should be, and rows that should not be there.

    ``recovered``: damaged rows may have come back, as the very persons who stand on them.
    """
    readable, refused, either = (rows_of(truth, which) for which in ("persons", "refused", "either"))
    actual = Counter(ledger_rows(workspace))
    lines = [f"not imported: {key} x {count}" for key, count in (readable - actual).items()]
    if recovered:
        either += refused
    lines += [f"should not be there: {key} x {count}" for key, count in (actual - readable - either).items()]
    lines += (
        []
        if recovered
        else [f"damaged but imported: {key}" for key in refused if key in actual and key not in readable]
    )
    return lines


def ledger_rows(workspace: Path) -> list[RowKey]:
    """Every live roll row of the record, with repetitions."""
    with sqlite3.connect(f"file:{workspace / 'ledger.db'}?mode=ro", uri=True) as connection:
        return connection.execute(
            "SELECT b.programme, b.month, r.town, r.id_no FROM batch b JOIN roll_row r USING (batch_id)"
            " WHERE b.kind = 'roll' AND b.status = 'active'"
        ).fetchall()


def village_differences(truth: dict[str, Any], workspace: Path) -> list[str]:
    """Readable rows whose village in the record is another than on the roll."""
    expected = Counter(
        (r["programme"], r["month"], r["town"], person, village)
        for r in truth["rolls"]
        for person, village in zip(r["persons"], r["villages"], strict=True)
    )
    with sqlite3.connect(f"file:{workspace / 'ledger.db'}?mode=ro", uri=True) as connection:
        actual = Counter(
            connection.execute(
                "SELECT b.programme, b.month, r.town, r.id_no, r.village FROM batch b JOIN roll_row r USING (batch_id)"
                " WHERE b.kind = 'roll' AND b.status = 'active'"
            ).fetchall()
        )
    return [f"{key} x {count}" for key, count in (expected - actual).items()]


def amount_differences(truth: dict[str, Any], workspace: Path) -> list[str]:
    """Where the record's sums of case amounts (分, per programme, month and town) differ from the rolls as generated."""
    either = rows_of(truth, "either")
    actual: Counter[tuple[str, str, str]] = Counter()
    with sqlite3.connect(f"file:{workspace / 'ledger.db'}?mode=ro", uri=True) as connection:
        for *key, id_no, amount in connection.execute(
            "SELECT b.programme, b.month, r.town, r.id_no, r.amount_fen FROM batch b JOIN roll_row r USING (batch_id)"
            " WHERE b.kind = 'roll' AND b.status = 'active' AND r.lead = 1 AND r.amount_fen IS NOT NULL"
        ):
            if (*key, id_no) not in either:
                actual[(key[0], key[1], key[2])] += int(amount)
    expected = {
        (r["programme"], r["month"], r["town"]): r["amount_fen"] for r in truth["rolls"] if r["amount_fen"] is not None
    }
    return [
        f"{key}: generated {amount}, in the ledger {actual[key]}"
        for key, amount in expected.items()
        if actual[key] != amount
    ]


def unreported_damage(truth: dict[str, Any], files: list[dict[str, Any]]) -> list[Case]:
    """Damaged cells that no finding of the import names by file and cell."""
    named = {(Path(f["file"]).name, m["cell"]) for f in files for m in f.get("messages", [])}
    return [d for d in truth["damaged"] if (d["file"], d["cell"]) not in named]


ACTIONS = {
    "over_income": {"stop", "grace", "transfer", "check"},
    "wrong_amount": {"increase", "decrease"},
    "wrong_tier": {"increase", "decrease", "check"},
    "death": {"decrease", "stop", "check", "transfer"},
}


def lost_reviews(truth: dict[str, Any], proposals: list[dict[str, str]]) -> list[Case]:
    """Planted review facts without a fitting proposal on the person or (for households) the head named in the note."""
    lost = []
    for case in truth["review"]:
        persons = {*case["persons"], case["note"]}
        hits = [
            p for p in proposals
            if p["id_no"] in persons and p["programme"] == case["programmes"][0] and p["action"] in ACTIONS[case["kind"]]
        ]  # fmt: skip
        if case["kind"] in ("wrong_amount", "wrong_tier"):
            hits = [p for p in hits if p["action"] == "check" or p["amount_after_fen"] == case["note"]]
        if not hits:
            lost.append(case)
    return lost


def unfounded_reviews(truth: dict[str, Any], proposals: list[dict[str, str]]) -> list[str]:
    """Proposals to change or stop an amount of cases in which nothing was planted and nobody died."""
    touched = {
        p
        for case in [*truth["review"], *truth["planted"], *truth["tolerated"]]
        for p in [*case["persons"], case["note"]]
    }
    touched |= {p for case in truth["decoys"] if case["rule"] == "当月死亡" for p in case["persons"]}
    return [
        f"{p['programme']} {p['action']} {p['id_no']} {p['area']} {p['amount_before_fen']} -> {p['amount_after_fen']}: {p['reasons']}"
        for p in proposals
        if p["action"] not in ("keep", "check") and p["id_no"] not in touched
    ]


def paid_rows(workspace: Path) -> list[tuple[str, str, str]]:
    """Programme, month and recipient of every line that is under way or paid."""
    with sqlite3.connect(f"file:{workspace / 'ledger.db'}?mode=ro", uri=True) as connection:
        return connection.execute(
            "SELECT o.programme, o.month, o.recipient_id_no FROM payment_line l JOIN obligation o USING (obligation_id)"
            " WHERE l.state IN ('due', 'sent', 'paid')"
        ).fetchall()


def paid_in_doubt(truth: dict[str, Any], paid: list[tuple[str, str, str]]) -> list[str]:
    """Payments to persons on the programmes of a planted, undecided strong doubt (missed aid blocks nothing)."""
    lines = set(paid)
    return [
        f"{case['kind']} {case['rule']} {person} {programme}"
        for case in truth["planted"] if case["kind"] != "missed"
        for person in case["persons"] for programme in case["programmes"][: 1 if case["kind"] == "claim" else None]
        if any((programme, month, person) in lines for month in case["months"])
    ]  # fmt: skip
