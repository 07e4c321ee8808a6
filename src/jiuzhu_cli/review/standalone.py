"""Proposals of people who have no case: to be taken on (start), or gone from the roll without a decision."""

from __future__ import annotations

from collections.abc import Iterable

from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.ledger.proposals import Proposal
from jiuzhu_cli.review.as_if import Due
from jiuzhu_cli.review.events import Found
from jiuzhu_cli.review.proposing import Sources, after_decision
from jiuzhu_cli.review.reasons import event_text


def propose_alone(found: Found, sources: Sources, month: str, moves: Iterable[tuple[str, str, str]]) -> list[Proposal]:
    """One proposal a programme and person, by the lowest rank; whoever a decision has started already is left out."""
    started = {(programme, id_no) for programme, id_no, action in moves if action == "start"}
    made: dict[tuple[str, str], Proposal] = {}
    for hit in sorted(found.others, key=lambda one: (found.event(one).rank, one.number, one.programme, one.id_no)):
        event = found.event(hit)
        if (hit.programme, hit.id_no) in started or (hit.programme, hit.id_no) in made:
            continue
        rule = sources.programmes[hit.programme].review
        due = sources.due.get((hit.number, 0, f"{hit.id_no}|{hit.programme}"), Due(None))
        effective = after_decision(month, sources.today, rule.after_decision)
        if event.effective == "age":
            effective = add_months(month, rule.after_age)
        after = due.fen if event.action == "start" else None
        made[hit.programme, hit.id_no] = Proposal(
            key="|".join((month, hit.programme, hit.place, hit.id_no, event.action, str(hit.before_fen), str(after), event.id)),
            month=month,
            programme=hit.programme,
            area=hit.place,
            id_no=hit.id_no,
            name=hit.name,
            action=event.action,
            before_fen=hit.before_fen,
            after_fen=after,
            effective_month=effective,
            reasons=event_text(event, [hit], sources),
            basis=event.source,
            steps=due.steps if event.action == "start" else (),
            needs_hearing=False,
        )  # fmt: skip
    return sorted(made.values(), key=lambda one: (one.programme, one.area, one.id_no))
