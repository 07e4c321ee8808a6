"""Why two records are held to be one person, or not: key, levels, weights, score and cut-off, in words. ``explain_pair`` is the door."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log2
from typing import Any

import numpy as np
import pyarrow as pa

from jiuzhu_cli.matching import keys, names, second, weights
from jiuzhu_cli.matching.candidates import key_table
from jiuzhu_cli.matching.engine import Prepared, prepare
from jiuzhu_cli.matching.evidence import prior_of
from jiuzhu_cli.matching.ids import SOUND
from jiuzhu_cli.matching.pairs import EXACT_SCORE

KEY_WORDS = {
    "id_no": "身份证号相同",
    "id_probe": "身份证号差一处（错一位、邻位颠倒、多一位、少一位）",
    "id_prefix": "身份证号前 15 位相同（Excel 末三位变 000）",
    "id_text": "写坏的身份证号一模一样",
    "name_birth": "姓名（同音）和出生日期",
    "name_phone": "姓名（同音）和电话",
    "name_account": "姓名（同音）和账号",
    "name_village": "姓名（同音）和村",
    "birth_phone": "出生日期和电话",
    "birth_account": "出生日期和账号",
    "birth_village": "姓氏、出生日期和村",
    "surname_phone": "姓氏和电话",
    "surname_account": "姓氏和账号",
    "same_person": "两个号码都对、其余都同：请人工核对",
    "": "没有一组相同的项，不会放在一起比",
}
FIELD_WORDS = {
    "id": "身份证号",
    "name": "姓名",
    "birth": "出生日期",
    "sex": "性别",
    "village": "村",
    "phone": "电话",
    "account": "账号",
}
LEVEL_WORDS = {
    "absent": "有一方没写",
    "equal": "相同",
    "different": "不同",
    "far": "差得多",
    "one_slip": "差一处",
    "prefix": "前 15 位相同",
    "two_slips": "差两处",
    "same_text": "写坏的号码一样",
    "sound": "同音",
    "shape": "形近",
    "one_character": "差一个字",
    "surname": "只有姓同",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """``fields``: (field, level, weight) with weights in bits (log2), rounded; they and ``prior`` and ``household`` add up to ``score``.

    ``strangers``: other people in the data expected to look like this by name. ``cut_off``: the score from which one pair alone suffices.
    ``one``: whether it does; ``why_not``: what keeps it apart in spite of its score (Chinese).
    """

    key: str
    fields: tuple[tuple[str, str, float], ...]
    prior: float
    household: float
    strangers: float
    score: float
    cut_off: float
    one: bool
    why_not: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "fields": [{"field": name, "level": level, "weight": weight} for name, level, weight in self.fields],
            "prior": self.prior,
            "household": self.household,
            "strangers": self.strangers,
            "score": self.score,
            "cut_off": self.cut_off,
            "one": self.one,
            "why_not": self.why_not,
        }

    def lines(self) -> list[str]:
        """In Chinese, a line a thing."""
        out = [f"放在一起比的依据：{KEY_WORDS[self.key]}"]
        if self.key == keys.ID_NO:
            return [*out, *(f"  {FIELD_WORDS[name]}：{LEVEL_WORDS[level]}" for name, level, _ in self.fields), "号码相同，就是同一个人。"]  # fmt: skip
        out += [f"  {FIELD_WORDS[name]}：{LEVEL_WORDS[level]}，{weight:+.1f} 分" for name, level, weight in self.fields if level != "absent"]  # fmt: skip
        absent = [FIELD_WORDS[name] for name, level, _ in self.fields if level == "absent"]
        out += [f"  有一方没写、不算分的：{'、'.join(absent)}"] if absent else []
        before = "写着第二个真号码的行有多少" if self.key == keys.SAME_PERSON else "名单里本来有没有这个人的别的记录"
        few = f"约有 {self.strangers:.3g}" if self.strangers >= 0.001 else "不到 0.001"
        end = "归到一起" if self.one else "不归到一起" + (f"（{self.why_not}）" if self.why_not else "")
        out += [
            f"  姓名这样的别人，名单里{few} 个（已算在姓名的分里）",
            f"  比之前：{self.prior + 0.0:+.1f} 分（{before}）；家里人也可能这样：{self.household:+.1f} 分",
            f"合计 {self.score:.1f} 分，即 {odds_words(self.score)}；单凭这一对，{self.cut_off:.1f} 分起归到一起：{end}。",
        ]
        return out


def odds_words(score: float) -> str:
    """A score as odds in words."""
    odds = 2 ** abs(score)
    said = f"{odds:,.0f}" if odds >= 10 else f"{odds:.1f}"
    return f"{said} 比 1 是同一个人" if score >= 0 else f"{said} 比 1 不是同一个人"


def explain_pair(records: pa.Table, a: int, b: int, *, second_ids: weights.Second | None = None) -> Explained:
    """Explains rows ``a`` and ``b`` of ``records`` (text columns of ``people.COLUMNS``). What strangers are expected is counted in ``records``:
    the whole list, or the two rows alone, which are then taken for part of a list of some two thousand."""
    ready = prepare(records)
    people, roles = ready.evidence.people, ready.evidence.roles
    if people.ids.state[a] == SOUND and people.ids.key[a] == people.ids.key[b]:
        levels = ready.evidence.levels(np.array([a]), np.array([b]), np.full(1, -1, np.int8))
        return Explained(keys.ID_NO, tuple((name, "equal" if name == "id" else level, 0.0) for name, level in _levels(levels)), 0.0, 0.0, 0.0, EXACT_SCORE, 0.0, True)  # fmt: skip
    if roles.own[a] and roles.own[b]:
        return _second(ready, a, b, second_ids or weights.Second())
    if roles.own[a]:  # the one without a number of its own asks
        a, b = b, a
    return _asked(ready, a, b)


def _asked(ready: Prepared, a: int, b: int) -> Explained:
    evidence, key = ready.evidence, _key(ready, a, b)
    left, right = np.array([a]), np.array([b])
    number = np.array([keys.KEYS.index(key) if key else -1], np.int8)
    prior = prior_of(evidence.roles, evidence.statistics.agreement, left)
    levels, odds = evidence.odds(left, right, number, prior)
    strangers = evidence.strangers(left, right, levels)
    cut = log2(weights.ACCEPTED / (1 - weights.ACCEPTED))
    return _explained(key, levels, strangers, evidence.statistics.agreement, float(prior[0]), float(odds[0]), cut, bool(key))  # fmt: skip


def _second(ready: Prepared, a: int, b: int, known: weights.Second) -> Explained:
    left, right = np.array([a]), np.array([b])
    levels, strangers, agreement, odds = second.odds_of(ready.evidence, left, right, known)
    sure = second.certain(ready.evidence, left, right, odds, known.certain)
    cut = log2(known.certain / (1 - known.certain))
    levels.id[:] = weights.ID_ABSENT
    found = _explained(keys.SAME_PERSON, levels, strangers, agreement, known.share, float(odds[0]), cut, bool(sure[0]))
    why = ""
    if not found.one and found.score >= found.cut_off:
        why = (
            "两个号码的地区和出生日期都同，只差末四位，可能是双胞胎"
            if second.twins(ready.evidence, left, right)[0]
            else "还有别人也像"
        )
    return replace(found, fields=(("id", "different", 0.0), *found.fields[1:]), why_not=why)


def _explained(
    key: str,
    levels: weights.Levels,
    strangers: weights.Strangers,
    agreement: weights.Agreement,
    prior: float,
    odds: float,
    cut: float,
    may: bool,
) -> Explained:
    weight = weights.each(levels, strangers, agreement)
    fields = tuple((name, level, round(float(weight[name][0]), 2)) for name, level in _levels(levels))
    score = log2(odds) if odds > 0 else -99.0
    rest = score - log2(prior) - sum(float(value[0]) for value in weight.values())
    return Explained(key, fields, round(log2(prior), 2) + 0.0, round(rest, 2) + 0.0, float(strangers.name[0]), round(score, 2), round(cut, 2), may and score >= cut)  # fmt: skip


def _levels(levels: weights.Levels) -> list[tuple[str, str]]:
    """(field, word of its level)"""
    out = [("id", weights.ID_LEVELS[int(levels.id[0])]), ("name", names.LEVELS[int(levels.name[0])])]
    return out + [(name, weights.FIELD_LEVELS[int(levels.fields[name][0])]) for name in weights.FIELDS]


def _key(ready: Prepared, a: int, b: int) -> str:
    """The first key under which the asker ``a`` finds ``b``; '' for none."""
    hits = ready.probed.filter((pa.compute.field("a") == a) & (pa.compute.field("b") == b))["key"].to_pylist()
    if hits:
        return keys.KEYS[min(hits)]
    both = key_table(ready.evidence.people, ready.evidence.roles, ready.sound, ready.surname, np.array([a, b]))
    for block in keys.BLOCKS:
        if all(len(set(both[name].to_pylist())) == 1 and both[name].null_count == 0 for name in block.fields):
            return block.name
    return ""
