"""The two banks of the walk: they read what was sent by their own eyes, pay or refuse, and answer in files they write themselves."""

from __future__ import annotations

import random
from pathlib import Path

from tests.payment.model.world import Key, Sheet, Transfer, World

# what the bank says, and whether the account is at fault
REASONS = {"户名不符": True, "账号不存在": True, "账户冻结": True, "系统超时": False}


def read_sent(path: Path) -> tuple[str, list[tuple[str, int, str]]]:
    """``(bank, rows)`` of a file as sent: account, 分, name. AssertionError when its own count or sum is wrong."""
    lines = path.read_bytes().decode("gbk").split("\r\n")
    assert lines.pop() == "", f"{path.name} ends in the middle of a line"
    if path.name.startswith("yi_"):
        return "yi", [(account, _fen(amount), name) for account, amount, name in (line.split(",") for line in lines)]
    count, total = lines.pop(0).split("|")
    rows = [(account, _fen(amount), name) for _, account, name, amount, _ in (line.split("|") for line in lines)]
    assert (int(count), _fen(total)) == (len(rows), sum(fen for _, fen, _ in rows)), f"the summary of {path.name}"
    return "jia", rows


def _fen(text: str) -> int:
    yuan, _, rest = text.partition(".")
    assert len(rest) == 2, f"an amount of {text}"
    return int(yuan) * 100 + int(rest)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def settle_truth(world: World, transfer: Transfer, chance: random.Random, *, kind: bool) -> None:
    """What becomes of one row. ``kind``: every account is in order, the bank pays what it can and tells of everything."""
    if transfer.account in world.refused:
        transfer.told, transfer.reason, transfer.real = "failed", "账号不存在", 0
    elif kind or (drawn := chance.random()) < 0.66:
        transfer.told, transfer.real = "paid", transfer.fen
    elif drawn < 0.84:
        transfer.reason = chance.choice(list(REASONS))
        transfer.told, transfer.real = "failed", 0
        if REASONS[transfer.reason]:
            world.refused.add(transfer.account)
    elif drawn < 0.94:
        transfer.told, transfer.real = "missing", transfer.fen if chance.random() < 0.5 else 0
    else:
        transfer.told, transfer.real = "partial", transfer.fen // 2


def answer(sheet: Sheet, transfers: list[Transfer], folder: Path, mark: str) -> Path:
    """The bank's answer on some of its rows as a file; rows that are ``missing`` are left out."""
    told = [one for one in transfers if one.told != "missing"]
    if sheet.bank == "jia":
        words = {"paid": "00", "failed": "99", "partial": "99"}
        lines = [f"{len(told)}|{_yuan(sum(one.fen for one in told))}"]
        lines += [
            f"{one.number}|{one.account}|{_yuan(one.fen)}|{_yuan(one.real)}|{words[one.told]}|{one.reason}" for one in told
        ]  # fmt: skip
    else:
        words = {"paid": "成功", "failed": "失败", "partial": "部分到账"}
        lines = [f"{one.account},{_yuan(one.fen)},{one.name},{words[one.told]},{one.reason}" for one in told]
    path = folder / f"{sheet.stem}_{mark}.txt"
    path.write_bytes("".join(line + "\r\n" for line in lines).encode("gbk"))
    return path


def damage(path: Path, chance: random.Random, folder: Path) -> Path:
    """A copy of an answer with one thing wrong: it must be held whole."""
    lines = path.read_bytes().decode("gbk").split("\r\n")[:-1]
    first = 1 if path.name.startswith("jia_") else 0
    at = chance.randrange(first, len(lines))
    kind = chance.choice(["twice", "amount", "stranger", "word"])
    mark = "|" if first else ","
    cells = lines[at].split(mark)
    if kind == "twice":
        lines.append(lines[at])
    elif kind == "amount":
        cells[2 if first else 1] = "98765.43"
    elif kind == "stranger":
        cells[1 if first else 0] = "6299999999999999"
    else:
        cells[4 if first else 3] = "？"
        if first:
            cells[3] = ""
    if kind != "twice":
        lines[at] = mark.join(cells)
    broken = folder / f"{path.stem}_坏{chance.randrange(10**6)}.txt"
    broken.write_bytes("".join(line + "\r\n" for line in lines).encode("gbk"))
    return broken


__all__ = ["REASONS", "Key", "answer", "damage", "read_sent", "settle_truth"]
