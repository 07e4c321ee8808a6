"""Returns damaged at random, in every container: the program never fails, never hangs, and books nothing but what a row says of its own line."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import JiuzhuError
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.payment.answers import decode_return, outcome_columns, return_shape, write_answer
from jiuzhu_cli.payment.matching import Match, match_return, outcome_of
from jiuzhu_cli.payment.parts import Part, bound_layout, parts
from jiuzhu_cli.payment.sheets import write_sheet
from tests.payment.conftest import Desk, person

PEOPLE = 12
ROUNDS = 90
SECONDS = 120  # far more than it takes, far less than a hang
CONTAINERS = {
    "rural_text": "delimited", "postal_fixed": "fixed", "ccb_xlsx": "xlsx", "ccb_xls": "xls", "card_xlsx": "xlsx", "pain001": "pain001",
}  # fmt: skip
WORDS = [
    "",
    "成功",
    "失败",
    "成功失败",
    "处理中",
    "00",
    "99",
    "部分成功",
    "未成功",
    "RJCT",
    "ACSC",
    "=1+1",
    "合计",
    "😀",
    "\x00",
    "9" * 400,
    "-1",
    "1e9",
    "NaN",
    "１００．０１",
]


def sent(desk: Desk, bank: str) -> tuple[Any, Part, Any]:
    """A layout, the file sent by it, and the lines on record."""
    desk.configure('default_bank = "card_xlsx"', f'default_bank = "{bank}"')
    if bank == "pain001":
        text = (desk.workspace.root / "jiuzhu.toml").read_text("utf-8")
        for empty, filled in (
            ('payer_name = ""', 'payer_name = "专户"'),
            ('payer_account = ""', 'payer_account = "17000100200300400"'),
        ):
            text = text.replace(empty, filled, 1)
        (desk.workspace.root / "jiuzhu.toml").write_text(text, "utf-8")
        desk.configure("专户", "专户")
    desk.roll([person(i, account_no=f"8100{i:010d}") for i in range(1, PEOPLE + 1)])
    number = desk.draft().batch["payment_id"]
    desk.lock()
    desk.approve()
    desk.export()
    [part] = list(parts(desk.store, desk.workspace, desk.policy, desk.batch(number)))
    assert part.bank == bank
    return bound_layout(desk.workspace, desk.policy, bank), part, payments.lines(desk.store, number)


# -- damage ------------------------------------------------------------------------------------------------


def flipped(data: bytes, luck: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(luck.randint(1, 6)):
        out[luck.randrange(len(out))] = luck.randrange(256)
    return bytes(out)


def cut_off(data: bytes, luck: random.Random) -> bytes:
    return data[: luck.randrange(len(data))]


def hole(data: bytes, luck: random.Random) -> bytes:
    at = luck.randrange(len(data))
    return data[:at] + data[at + luck.randint(1, 60) :]


def stuffed(data: bytes, luck: random.Random) -> bytes:
    at = luck.randrange(len(data))
    return data[:at] + bytes(luck.randrange(256) for _ in range(luck.randint(1, 30))) + data[at:]


def echoed(data: bytes, luck: random.Random) -> bytes:
    at, length = luck.randrange(len(data)), luck.randint(1, 300)
    return data[: at + length] + data[at:]


def lines_moved(data: bytes, luck: random.Random) -> bytes:
    lines = data.split(b"\r\n")
    match luck.randrange(4):
        case 0:
            luck.shuffle(lines)
        case 1:
            lines.insert(luck.randrange(len(lines)), luck.choice(lines))
        case 2:
            del lines[luck.randrange(len(lines))]
        case _:
            one, other = luck.randrange(len(lines)), luck.randrange(len(lines))
            lines[one], lines[other] = (
                lines[other][: len(lines[other]) // 2] + lines[one][len(lines[one]) // 2 :],
                lines[other],
            )
    return b"\r\n".join(lines)


def words_put_in(data: bytes, luck: random.Random) -> bytes:
    old, new = (luck.choice(WORDS).encode("gb18030", "replace") for _ in range(2))
    return data.replace(old or b"|", new, luck.randint(1, 3))


DAMAGE: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flipped, cut_off, hole, stuffed, echoed, lines_moved, words_put_in,
)  # fmt: skip


def cells_damaged(columns: dict[str, list[Any]], luck: random.Random) -> dict[str, list[Any]]:
    """Rows lost, doubled, shuffled, renumbered, of strangers; cells of another kind."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    for _ in range(luck.randint(0, 3)):
        if not rows:
            break
        one = luck.choice(rows)
        match luck.randrange(9):
            case 0:
                rows.remove(one)
            case 1:
                rows.append(dict(one))
            case 2:
                luck.shuffle(rows)
            case 3:
                for index, row in enumerate(rows, luck.randint(1, 5)):
                    row["line_no"] = index
            case 4:
                rows.append(one | {"account_no": "8199999999999999", "line_no": 99})
            case 5:
                one["amount"] = luck.choice([0, 1, one["amount"] + 1, -one["amount"], 10**12])
            case 6:
                one["account_no"], luck.choice(rows)["account_no"] = luck.choice(rows)["account_no"], one["account_no"]
            case 7:
                one[luck.choice(["payee_name", "result", "reason", "account_no"])] = luck.choice(
                    [word for word in WORDS if "\x00" not in word]
                )
            case _:
                one["result"] = luck.choice(["成功", "失败", "部分成功", "未成功"])
    return {name: [row[name] for row in rows] for name in columns}


# -- what must hold ----------------------------------------------------------------------------------------


def told_by_the_text(text: str, line: dict[str, Any]) -> list[str]:
    """The lines of a text that speak of this account and sum, told without the program's own reading."""
    fen = line["amount_fen"]
    sums = (f"|{fen // 100}.{fen % 100:02d}|", f"{fen:014d}")
    return [one for one in text.split("\n") if line["account_no"] in one and any(s in one for s in sums)]


def check(match: Match, lines: Any, said: Callable[[dict[str, Any]], list[str]], success: str, failure: str) -> int:
    """Figures add up, every line is booked once at most, and by a row that says just that of it. How many were booked."""
    if match.problems:
        assert match.outcome is None
        return 0
    rows = {row["line_id"]: row for row in lines.to_pylist()}
    booked = match.outcome.to_pylist()
    assert len({one["line_id"] for one in booked}) == len(booked) <= len(rows)
    assert match.succeeded + match.failed + match.partial == match.rows == len(rows) - match.missing
    paid = [rows[one["line_id"]] for one in booked if one["state"] == "paid"]
    assert sum(line["amount_fen"] for line in paid) == match.amount_fen
    for one in booked:
        words = said(rows[one["line_id"]])
        assert words, one
        if one["state"] == "paid":
            assert any(success in word for word in words), (one, words)
        elif one["state"] == "failed":
            assert any(failure in word or "失败" in word or "未成功" in word for word in words), (one, words)
            assert one["reason_code"]
    return len(booked)


@pytest.mark.parametrize("bank", CONTAINERS)
def test_a_damaged_return_is_refused_or_booked_as_it_says(desk: Desk, tmp_path: Path, bank: str) -> None:
    layout, part, lines = sent(desk, bank)
    began, luck = time.monotonic(), random.Random(bank)
    failures = {2: "户名不符", 5: "账户已销户"}
    clean = tmp_path / f"clean{part.path.suffix}"
    write_answer(layout, clean, part, failures)
    whole = match_return(layout, decode_return(layout, clean, clean.read_bytes()), lines, desk.policy.reasons)
    assert (whole.succeeded, whole.failed, whole.problems) == (PEOPLE - 2, 2, [])
    data, booked, refused = clean.read_bytes(), 0, 0
    for number in range(ROUNDS):
        path = tmp_path / f"{number}{part.path.suffix}"
        known: list[dict[str, Any]] | None = None
        if layout.is_book and number % 3:
            columns = cells_damaged(dict(outcome_columns(layout, part.columns, failures)), luck)
            known = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
            try:
                write_sheet(layout, path, columns, shape=return_shape(layout))
            except JiuzhuError:  # no such file can exist
                continue
        else:
            path.write_bytes(luck.choice(DAMAGE)(data, luck))
        try:
            match = match_return(layout, decode_return(layout, path, path.read_bytes()), lines, desk.policy.reasons)
        except JiuzhuError:
            refused += 1
            continue

        def said(line: dict[str, Any], known: list[dict[str, Any]] | None = known, path: Path = path) -> list[str]:
            if known is not None:
                own = [
                    row
                    for row in known
                    if str(row["account_no"]) == line["account_no"] and row["amount"] == line["amount_fen"]
                ]
                return [str(row["result"]) for row in own]
            if (
                layout.is_book or layout.container == "pain001"
            ):  # what a damaged container still says is its reader's word
                return [f"{layout.success[0]}{layout.failure[0]}成功"]
            return told_by_the_text(path.read_bytes().decode("gbk", "replace"), line)

        word = layout.success[0] if not layout.is_book else "成功"
        fine = check(match, lines, said, word, layout.failure[0])
        booked, refused = booked + bool(fine), refused + (not fine)
    assert refused > ROUNDS / 4 and time.monotonic() - began < SECONDS
    assert booked or layout.container in ("pain001", "xls")  # some damage does no harm: a row less, another order


@pytest.mark.parametrize("bank", ["rural_text", "postal_fixed"])
def test_the_record_holds_after_any_number_of_damaged_files(desk: Desk, tmp_path: Path, bank: str) -> None:
    """Through the whole of ``pay return``: paid, failed and under way are all there is, and what was booked stays booked."""
    layout, part, lines = sent(desk, bank)
    luck, before = random.Random(f"{bank} again"), {}
    clean = tmp_path / "clean.txt"
    write_answer(layout, clean, part, {2: "户名不符"})
    for number in range(25):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(luck.choice(DAMAGE)(clean.read_bytes(), luck))
        try:
            read = desk.read(path)
            assert read.succeeded + read.failed + read.partial == read.lines
        except JiuzhuError:
            pass
        now = {row[0]: row[1] for row in desk.store.query("SELECT line_no, state FROM payment_line")}
        assert len(now) == lines.num_rows and set(now.values()) <= {"paid", "failed", "sent"}
        assert all(now[line] == state for line, state in before.items())
        before = {line: state for line, state in now.items() if state != "sent"}
    counted = desk.store.query("SELECT SUM(succeeded), SUM(failed) FROM bank_return")[0]
    assert (counted[0] or 0) + (counted[1] or 0) >= len(before)


def test_words_of_results_are_never_two_things(desk: Desk) -> None:
    """Whatever a bank writes as a result, success and failure are told by the words themselves or not at all."""
    luck = random.Random(7)
    pieces = ["成功", "失败", "未", "不", "部分", "入账", "退回", "处理", "00", "已", "无", "销户", " "]
    for _ in range(2000):
        word = "".join(luck.choices(pieces, k=luck.randint(1, 5)))
        found = outcome_of(desk.policy.banks["rural_text"], word)
        flat = word.replace(" ", "")
        if found == "paid":
            assert "成功" in flat or flat in ("00", "0000")
            assert not any(sign in flat for sign in ("失败", "未", "不", "无", "部分", "销户", "退回"))
