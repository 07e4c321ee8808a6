"""What is open between a person and the bureau beside the payments themselves, as tables: claims back (追缴), back-pay (补发), corrections (冲正)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jiuzhu_cli.cli import words

Section = tuple[str, list[str], list[tuple[Any, ...]]]


def sections(data: Mapping[str, Any], names: Mapping[str, str]) -> list[Section]:
    """Title, headers and rows of ``recoveries, back_pays, corrections`` (see ``ledger.people.person_file``)."""
    if not any(data[key] for key in ("recoveries", "back_pays", "corrections")):  # most people: nothing more to load
        return []
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.payment.back_pay import STATES
    from jiuzhu_cli.payment.correction import KINDS, state_word
    from jiuzhu_cli.payment.recovery import WORDS

    def called(row: Mapping[str, Any]) -> str:
        return names.get(row["programme"], row["programme"])

    def back(row: Mapping[str, Any]) -> str:
        if row["line_state"]:
            return f"第 {row['payment_id']} 批{words.LINE_STATES[row['line_state']]}"
        return STATES[row["state"]]

    sums = ("claimed_fen", "repaid_fen", "set_off_fen", "waived_fen", "open_fen")
    return [
        (
            "追缴", ["编号", "月份", "项目", "原因", "应追回（元）", "已追回", "已抵扣", "已免收", "尚欠"],
            [(r["recovery_id"], r["month"], called(r), WORDS.get(r["code"], r["code"]), *(yuan(r[name]) for name in sums)) for r in data["recoveries"]],
        ),
        (
            "补发", ["编号", "所属月份", "项目", "金额（元）", "状态", "原因"],
            [(r["back_pay_id"], r["month"], called(r), yuan(r["amount_fen"]), back(r), r["reason"]) for r in data["back_pays"]],
        ),
        (
            "冲正", ["编号", "批次", "月份", "项目", "金额（元）", "种类", "日期", "状态", "依据"],
            [(r["correction_id"], f"第 {r['payment_id']} 批第 {r['line_no']} 笔", r["month"], called(r), yuan(r["amount_fen"]), KINDS[r["kind"]], r["on_date"], state_word(r), r["reason"])
             for r in data["corrections"]],
        ),
    ]  # fmt: skip
