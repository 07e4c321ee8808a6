"""``jiuzhu.toml`` checked once, when the workspace is opened: every key known, of its type and within its bounds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from jiuzhu_cli.core.errors import DataError

Check = tuple[Callable[[Any], bool], str]  # what holds, and how to write it
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def is_setting_text(value: Any) -> bool:
    """Whether ``value`` can stand as a text in the settings: one line of visible characters, not too long."""
    return isinstance(value, str) and len(value) <= 200 and not _CONTROL.search(value)


def _whole(first: int, last: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and first <= value <= last


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 100_000_000


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(is_setting_text(one) and one.strip() for one in value)


def _is_constants(value: Any) -> bool:
    return isinstance(value, dict) and all(
        is_setting_text(one) or (isinstance(one, dict) and all(map(is_setting_text, one.values())))
        for one in value.values()
    )


_TEXT: Check = (is_setting_text, '要写成加引号的一行文字，例如 {key} = "……"')
_FLAG: Check = (lambda value: isinstance(value, bool), "要写成 true 或 false，不加引号")
_RULES: dict[str, dict[str, Check]] = {
    "bureau": {
        "name": _TEXT,
        "region": (lambda v: isinstance(v, str) and bool(re.fullmatch(r"\d{6}", v)), '要写成加引号的六位数字，例如 region = "421002"'),
        "phone": _TEXT,
        "address": _TEXT,
    },
    "clerk": {"actor": _TEXT},
    "month": {"settlement_day": (_whole(1, 31), "要写成 1 至 31 的整数，例如 settlement_day = 20")},
    "areas": {
        "towns": (
            lambda v: isinstance(v, list) and all(is_setting_text(town) and town.strip() for town in v),
            '要写成名单，例如 towns = ["城关镇", "东岭乡"]',
        )
    },
    "import": {
        "alarm_pct": (_whole(1, 100), "要写成 1 至 100 的整数，例如 alarm_pct = 20"),
        "ask_pct": (_whole(1, 100), "要写成 1 至 100 的整数，例如 ask_pct = 50"),
        "alarm_persons": (_whole(1, 1_000_000), "要写成大于 0 的整数，例如 alarm_persons = 20"),
    },
    "posting": {
        "days": (_whole(1, 366), "要写成 1 至 366 的整数，例如 days = 7"),
        "unit": (_one_of("calendar", "working"), '要写成 "calendar"（自然日）或 "working"（工作日）'),
        "count_first_day": (lambda v: isinstance(v, bool), "要写成 true 或 false"),
        "names": (_one_of("masked", "full"), '要写成 "masked"（遮盖）或 "full"（全名）'),
    },
    "payment": {
        "payer_name": _TEXT,
        "payer_account": _TEXT,
        "agreement_no": _TEXT,
        "default_bank": _TEXT,
        "banks": (_is_words, '要写成代码的名单，例如 banks = ["icbc_xlsx", "ccb_xlsx"]'),
        "constants": (
            _is_constants,
            '要写成一节：[payment.constants] 下面一行一个 名 = "值"；只用于一种格式的写在 [payment.constants.格式代码] 下',
        ),
        "combine_payees": _FLAG,
        "separate_release": _FLAG,
        "require_signature": _FLAG,
        "roster_lines": (_whole(0, 10_000_000), "要写成整数：锁定时不超过这么多笔就出花名册，0 为不出，例如 roster_lines = 20000"),
        "max_line_yuan": (_is_amount, "要写成大于 0 的金额（元），不加引号，例如 max_line_yuan = 50000"),
    },
    "mail": {"host": _TEXT, "port": (_whole(1, 65535), "要写成 1 至 65535 的整数"), "user": _TEXT, "sender": _TEXT},
}  # fmt: skip


def check_settings(config: Mapping[str, Any]) -> None:
    """DataError naming the first key that is unknown, mistyped or out of bounds. A mistyped name would silently lose a limit."""
    for section, part in config.items():
        rules = _RULES.get(section)
        if rules is None:
            raise DataError(
                f"jiuzhu.toml 里不认识 [{section}]{_near(section, _RULES)}", "改正或删去它", code="settings"
            )
        if not isinstance(part, dict):
            raise DataError(
                f"jiuzhu.toml 的 {section} 写法不对", f"写成一节：[{section}] 单独一行，下面是各项设置", code="settings"
            )
        for key, value in part.items():
            if key not in rules:
                raise DataError(
                    f"jiuzhu.toml 的 [{section}] 里不认识 {key}{_near(key, rules)}", "改正或删去这一行", code="settings"
                )
            holds, how = rules[key]
            if not holds(value):
                raise DataError(
                    f"jiuzhu.toml 的 [{section}] {key} 写得不对", how.replace("{key}", key), code="settings"
                )

    if "region" not in config.get("bureau", {}):
        raise DataError(
            "jiuzhu.toml 没有写 [bureau] region", '补上六位行政区划代码，例如 region = "421002"', code="settings"
        )


def _near(word: str, known: Mapping[str, Any]) -> str:
    found = difflib.get_close_matches(word, known, n=1)
    return f"（是不是 {found[0]}？）" if found else ""
