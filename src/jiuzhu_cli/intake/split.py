"""Several lists in one: rows that name their programme, and 两项补贴 side by side. One table for each."""

from __future__ import annotations

import re

import numpy as np

from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.programme import name_of, own_amount_words, read_columns_again, set_programme
from jiuzhu_cli.intake.recognise import Named
from jiuzhu_cli.intake.work import Work

_PROGRAMME_COLUMN = re.compile(r"项目|补贴(名称|类型|种类|类别)|救助(类型|类别|种类)|保障(类型|类别)|业务类型|待遇类型")


def split_by_value(work: Work, named: Named | None, joint: tuple[Named, ...]) -> list[Work]:
    """A list whose rows name their programme (救助类型: 农村低保 / 农村特困) becomes one table for each."""
    if (named is not None and not joint) or work.table.fatal:
        return []
    for column in work.table.columns:
        if not joint and not _PROGRAMME_COLUMN.search(header_key(column.header)):
            continue  # where the title names the programmes, any column whose every cell is one of them tells them apart
        values = [compact(value) if isinstance(value, str) else "" for value in work.values(column.index)]
        meaning = {value: work.context.names.in_text(value) for value in set(values)}
        codes = {found[0] for found in meaning.values() if len(found) == 1 and found[0][0] == "roll"}
        if (
            not codes
            or (joint and not codes <= set(joint))
            or any(not found for value, found in meaning.items() if value)
        ):
            continue
        out = []
        for code in sorted(codes):
            keep = np.array([meaning[value][:1] == (code,) for value in values], dtype=bool)
            one = work.only(keep, "other_programme")
            set_programme(one.table, code, f"{column.letters}列“{column.header}”")
            if len(codes) > 1:
                one.tell(
                    "table_split",
                    "notice",
                    column=column.letters,
                    programme=name_of(work.context, code),
                    rows=int(keep.sum()),
                )
            read_columns_again(one, code)
            out.append(one)
        return out
    return []


def split_by_amount(work: Work, joint: tuple[Named, ...]) -> list[Work]:
    """两项补贴 on one list: one table a programme, each with its own amount column and the rows that have one."""
    out = []
    for named in joint:
        one = work.only(np.ones(len(work.table.rows), dtype=bool), "other_programme")
        set_programme(one.table, named, one.table.how.get("programme", ""))
        read_columns_again(one, named)
        amount = one.table.column("amount_fen")
        words = own_amount_words(work.context, named)
        if amount is None or not words or not any(word in compact(amount.header) for word in words):
            work.tell(
                "programmes_joined", "error", programmes="、".join(name_of(work.context, other) for other in joint)
            )
            return [work]
        paid = np.array(
            [value not in (None, "", 0, 0.0, "0", "0.00", "-", "—", "/", "无") for value in one.values(amount.index)],
            dtype=bool,
        )
        kept = one.only(paid, "other_programme")
        kept.tell(
            "table_split", "notice", column=amount.letters, programme=name_of(work.context, named), rows=int(paid.sum())
        )
        out.append(kept)
    return out
