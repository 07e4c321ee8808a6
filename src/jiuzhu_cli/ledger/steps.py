"""The steps of amounts in the record: what a step says of the parameter it used is kept once, however many cases used it.

A change of a standard touches every case, and each of its steps names the parameter's date and document: written out, a month of
100,000 cases would make the ledger 300 MB larger.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from jiuzhu_cli.ledger.store import Store, Transaction

_OF_SOURCE = ("parameter", "unit", "since", "source", "confirmed")
Steps = Sequence[dict[str, Any]]


def pack(tx: Transaction, every: Iterable[Steps]) -> list[str]:
    """Steps as JSON for ``proposal.steps``; new sources go to ``step_source``."""
    known = {row[0]: int(row[1]) for row in tx.execute("SELECT content, source_id FROM step_source")}
    numbers: dict[tuple[Any, ...], int] = {}

    def number(step: dict[str, Any]) -> int:
        key = tuple(step.get(name) for name in _OF_SOURCE)
        if key not in numbers:
            content = json.dumps(dict(zip(_OF_SOURCE, key, strict=True)), ensure_ascii=False)
            if content not in known:
                tx.execute("INSERT INTO step_source (content) VALUES (?)", (content,))
                found = tx.execute("SELECT source_id FROM step_source WHERE content = ?", (content,)).fetchone()
                known[content] = int(found[0])
            numbers[key] = known[content]
        return numbers[key]

    def short(value: Any) -> Any:
        if value.__class__ is list:
            return [short(one) for one in value]
        if value.__class__ is not dict:
            return value
        if "parameter" in value:
            return {key: one for key, one in value.items() if key not in _OF_SOURCE} | {"of": number(value)}
        return {key: short(one) for key, one in value.items()}

    return [json.dumps([short(step) for step in steps], ensure_ascii=False, separators=(",", ":")) for steps in every]


def unpack(store: Store, packed: Iterable[str]) -> list[list[dict[str, Any]]]:
    """The steps again, each with what its source says."""
    sources: dict[int, dict[str, Any]] = {}

    def full(step: dict[str, Any]) -> dict[str, Any]:
        for key, value in step.items():
            if value.__class__ is list:
                step[key] = [full(one) if one.__class__ is dict else one for one in value]
        number = step.pop("of", None)
        if number is None:
            return step
        if not sources:
            sources.update(
                (int(row[0]), json.loads(row[1])) for row in store.query("SELECT source_id, content FROM step_source")
            )
        return {"label": step["label"], **sources[number], **step} if "label" in step else {**sources[number], **step}

    return [[full(step) for step in json.loads(text)] for text in packed]
