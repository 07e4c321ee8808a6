"""What was found in a bank's sample, written down as a layout's TOML: doubts stand as comments beside what they concern."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.payment.columns import BAD, GOOD, Guess

OF_ANSWER = {"result", "reason", "paid_amount"}
KEYS = ("width", "align", "pad", "decimals", "point", "style", "own", "other", "text", "default", "zeros")


@dataclass(slots=True)
class Found:
    """What was found in the sample, container by container, before it is written down."""

    head: dict[str, Any]  # keys of the layout
    columns: list[Guess]
    opening: list[Guess] = field(default_factory=list)
    closing: list[Guess] = field(default_factory=list)
    header: bool = False
    questions: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # of the result column
    constants: dict[str, str] = field(default_factory=dict)
    lines: int = 0


def written(found: Found, *, code: str, name: str, answers: bool) -> str:
    """The TOML. Doubts stand as comments beside what they concern."""
    answer = [one for one in found.columns if one.source not in OF_ANSWER]
    head = {
        "name": name, "routed": False, **found.head,
        "source": "从银行给的样例起草，请对照协议逐列核对", "certainty": "inferred", "file_name": f"{code}_{{month}}_{{sequence:02d}}",
    }  # fmt: skip
    if found.header:
        head["header"] = True
        head |= {"returns_header": True} if answers else {}
    if found.words:
        good = [
            word for word in found.words if any(sign in word for sign in GOOD) and not any(sign in word for sign in BAD)
        ]
        bad = [word for word in found.words if word not in good and any(sign in word for sign in BAD)]
        unknown = [word for word in found.words if word not in good and word not in bad]
        head |= ({"success": good} if good else {}) | ({"failure": bad} if bad else {})
        if unknown or not good or not bad:
            found.questions.append(
                f"结果的写法请核对：成功 {good or '没有见到'}，失败 {bad or '没有见到'}，分不清 {unknown or '没有'}"
            )
    lines = [f"# {code}：从一份样例起草；“请核对”的要对照协议，核完改 certainty"]
    lines += [f"# 请核对：{_one_line(question)}" for question in dict.fromkeys(found.questions)]
    lines += [f"{key} = {_toml(value)}" for key, value in head.items()]
    if found.opening:
        lines += _shape("summary", found.opening)
        lines += _shape("trailer", found.closing) if found.closing else []
    elif found.closing:
        lines += ["summary_last = true", *_shape("summary", found.closing)]
    if answers and (found.opening or found.closing):
        lines.append("returns_summary = true")
    lines += _shape("columns", answer)
    if answers:
        lines += _shape("returns", found.columns)
    return "\n".join(lines) + "\n"


def _shape(key: str, columns: Sequence[Guess]) -> list[str]:
    lines = [f"{key} = ["]
    for one in columns:
        facts = {"name": one.name, "source": one.source, **{k: one.extra[k] for k in KEYS if k in one.extra}}
        cells = ", ".join(f"{k} = {_toml(v)}" for k, v in facts.items())
        lines.append(f"  {{ {cells} }}," + (f"  # 请核对：{_one_line(one.doubt)}" if one.doubt else ""))
    return [*lines, "]"]


def _one_line(text: str) -> str:
    return mask_text(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    plain = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda match: f"\\u{ord(match.group(0)):04x}", plain) + '"'
