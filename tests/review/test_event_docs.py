"""The guide's table of events is the data's; what the program finds itself and what the data names are the same."""

from __future__ import annotations

import re
from pathlib import Path

from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.policy.vocabulary import EVENT_WORDS, GONE, LINE, MONTHLY, OF_CASES, OF_PERSON, STANDING, SUMS
from jiuzhu_cli.review.changes import BUILT_IN
from jiuzhu_cli.review.event_words import CASE_COLUMNS, GONE_COLUMNS, LINE_COLUMNS, PERSON_COLUMNS, SUM_COLUMNS
from jiuzhu_cli.review.output import ACTIONS

GUIDE = Path(__file__).parents[2] / "docs" / "复核说明.md"
WORDS = Path(__file__).parents[2] / "docs" / "政策参数.md"
THEN = {"stop": "停发", "leave": "减去此人", "transfer": "转项目"}


def event_rows(policy: Policy) -> list[str]:
    """One line of the guide's table an event, in the order of rank."""
    rows = []
    for event in sorted(policy.events, key=lambda one: one.rank):
        on = "、".join(policy.programmes[code].name for code in event.on) or "全部"
        lists = "、".join(policy.registers[code].name for code in event.registers) or "—"
        action = "按核算金额" if event.action == "by_amount" else ACTIONS[event.action]
        if event.to:
            action += f"（到{policy.programmes[event.to].name}）"
        if event.then:
            action += f"，同意后{THEN[event.then]}"
        rows.append(f"| {event.rank} | `{event.id}` | {event.name} | {on} | {lists} | {action} | {event.source} |")
    return rows


def test_the_guides_table_is_the_datas() -> None:
    told = re.findall(r"(?m)^\| \d+ \| `.*$", GUIDE.read_text("utf-8"))
    assert told == event_rows(load_policy())


def test_what_the_program_finds_itself_has_its_rank_in_the_data() -> None:
    events = load_policy().events
    assert {one.id for one in events if one.per == "built_in"} == BUILT_IN
    assert len({one.id for one in events}) == len(events)
    leads = [one for one in events if one.registers and one.action not in ("check", "grace")]
    assert [one.id for one in leads] == ["work_refused"]  # a register's line stops nothing by itself


def test_every_word_has_its_column_and_stands_in_the_guide() -> None:
    assert set(OF_CASES) <= set(CASE_COLUMNS)
    assert set(OF_PERSON) <= set(PERSON_COLUMNS)
    assert {*CASE_COLUMNS, *LINE_COLUMNS, *SUM_COLUMNS, *GONE_COLUMNS} >= set(EVENT_WORDS)
    guide = WORDS.read_text("utf-8")
    assert [word for word in (*MONTHLY, *STANDING, *LINE, *SUMS, *GONE) if word not in guide] == []


if __name__ == "__main__":
    print("\n".join(event_rows(load_policy())))
