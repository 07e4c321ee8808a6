"""What is said of a doubt: the facts in one Chinese sentence, and the rule with its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core import doubt
from jiuzhu_cli.core.mask import mask_account
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.names import same_name
from jiuzhu_cli.core.period import add_months, last_day
from jiuzhu_cli.policy.doubts import shipped
from jiuzhu_cli.policy.findings import format_text

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Relation

KINDS = {code: kind.name for code, kind in doubt.KINDS.items()}
CODES = {code: one.name for code, one in shipped().items()}
SEVERITIES = {"strong": "强疑点", "candidate": "待核线索"}

_ONE_PERSON = ("exclusive", "over_cap", "lower_of_two", "same_programme_twice", "two_towns", "rural_and_urban")

DEATH_BASIS = (
    "死亡次月起不得再发：《特困人员认定办法》第24条；低保按民政部 2022-10-20 兜底保障通知，死亡之日起3个月内核查办结"
)
TWICE_BASIS = "同一项目一人一月只发一份（同一事由的一次性救助只给一次）；{source}"
CLAIM_BASIS = "享受对象以该项目名册为准；四类确认结果部门互认：《社会救助法》第42条"


class Speaker:
    """Names of programmes and registers, and the bases of relations, for sentences."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.relations: dict[str, Relation] = {relation.id: relation for relation in policy.relations}
        self.claims = {claim.id: claim for claim in policy.claims}
        self.checks = {check.id: check for check in policy.checks}

    def name(self, code: str) -> str:
        """The Chinese name of a programme or ``register:CODE``; the code itself when unknown."""
        if code.startswith("register:"):
            register = self.policy.registers.get(code[9:])
            return register.name if register else code[9:]
        programme = self.policy.programmes.get(code.removeprefix("stopped:"))
        return ("以前的" if code.startswith("stopped:") else "") + programme.name if programme else code

    def handling_months(self, code: str, month: str) -> int:
        """Months that the programme allows after a death for the formalities; 0 when it allows none."""
        programme = self.policy.programmes.get(code)
        name = programme.review.parameters.get("death_months", "") if programme else ""
        found = self.policy.parameter_or_none(name, last_day(month)) if name else None
        return int(Decimal(found.value)) if found is not None and not isinstance(found.value, str) else 0

    def evidence(self, hit: Mapping[str, Any], months: Sequence[tuple[str, int]]) -> str:
        """``hit``: the latest month's row of ``hit``; ``months``: (month, amount) in order."""
        said = say_months([month for month, _ in months])
        code = self.policy.doubts.get(hit["code"])
        text = (
            self._filled(code.says, hit, said, months)
            if code and code.says
            else _SENTENCES[hit["code"]](self, hit, said)
        )
        if hit["kind"] == "double" and hit["id_no_a"] != hit["id_no_b"] and hit["code"] in _ONE_PERSON:
            text += "两个身份证号已由经办人员认定为同一人。"
        if (
            hit["kind"] != "same_person"
            and hit["name_b"]
            and hit["id_no_a"] == hit["id_no_b"]
            and not same_name(hit["name_a"], hit["name_b"])
        ):
            text += f"两处姓名不一致（{hit['name_a']}、{hit['name_b']}），先核对身份证号是否填错。"
        return text

    def _filled(self, says: str, hit: Mapping[str, Any], said: str, months: Sequence[tuple[str, int]]) -> str:
        """The code's template with the hit's values; ``fact`` is ``word=value|word=value``."""
        facts = _facts(hit)
        if hit["kind"] == "missed":  # age|certified|grade|kind
            age, _, grade, kind = str(hit["fact"]).split("|")[:4]
            facts = {"年龄": age, "残疾": f"，{kind}{grade}级残疾" if grade else ""}
        sides = {
            f"{word}_{letter}": value
            for letter in "ab"
            for word, value in (
                ("name", hit[f"name_{letter}"]),
                ("project", self.name(hit[f"programme_{letter}"]) if hit[f"programme_{letter}"] else ""),
                ("area", hit[f"area_{letter}"]),
                ("place", _place(hit[f"area_{letter}"])),
                ("fen", yuan(hit[f"fen_{letter}"] or 0)),
            )
        }
        return format_text(
            says,
            facts | sides | {"fact": hit["fact"] or "", "months": said, "amount": yuan(sum(fen for _, fen in months))},
        )

    def basis(self, hit: Mapping[str, Any]) -> str:
        relation = self.relations.get(hit["rule"])
        if relation is not None:
            return relation.basis
        if hit["rule"] in self.checks:
            return self.checks[hit["rule"]].basis
        if hit["kind"] == "after_event":
            return next((r.basis for r in self.relations.values() if "register:death" in (r.a, r.b)), DEATH_BASIS)
        own = self.policy.doubts.get(hit["code"])
        if own is not None and own.basis:
            return own.basis
        if hit["kind"] == "claim":
            claim = self.claims.get(hit["rule"])
            return claim.basis if claim else CLAIM_BASIS
        programme = self.policy.programmes.get(hit["programme_a"])
        return TWICE_BASIS.format(source=programme.source if programme else "")


def say_months(months: Sequence[str]) -> str:
    """``2026-03至2026-05、2026-09``."""
    runs: list[list[str]] = []
    for month in months:
        if runs and add_months(runs[-1][-1], 1) == month:
            runs[-1].append(month)
        else:
            runs.append([month])
    return "、".join(run[0] if len(run) == 1 else f"{run[0]}至{run[-1]}" for run in runs)


def _place(area: str) -> str:
    return f"（{area}）" if area else ""


def _both(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    def side(letter: str) -> str:
        code = hit[f"programme_{letter}"]
        if code.startswith("register:"):
            return f"在{speaker.name(code)}上"
        return f"享受{speaker.name(code)}{_place(hit[f'area_{letter}'])}本人份额{yuan(hit[f'fen_{letter}'])}元"

    return f"{hit['name_a']}在 {months} 同时{side('a')}、{side('b')}，两者不能同时享受。"


def _household(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    who = hit["name_a"] if hit["id_no_a"] == hit["id_no_b"] else f"{hit['name_a']}与{hit['name_b']}同户，"
    return (
        f"{who}在 {months} 同时在{speaker.name(hit['programme_a'])}{_place(hit['area_a'])}每月{yuan(hit['fen_a'])}元、"
        f"{speaker.name(hit['programme_b'])}{_place(hit['area_b'])}每月{yuan(hit['fen_b'])}元名册上，按户不能同时享受。"
    )


def _cap(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    total = hit["fen_a"] + hit["fen_b"]
    return (
        f"{hit['name_a']}在 {months} {speaker.name(hit['programme_a'])}份额{yuan(hit['fen_a'])}元加{speaker.name(hit['programme_b'])}"
        f"{yuan(hit['fen_b'])}元，合计{yuan(total)}元，超过封顶{yuan(int(hit['fact']))}元，每月多{yuan(total - int(hit['fact']))}元。"
    )


def _lower(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    low = "a" if hit["fen_a"] <= hit["fen_b"] else "b"
    return (
        f"{hit['name_a']}在 {months} 同时享受{speaker.name(hit['programme_a'])}{yuan(hit['fen_a'])}元、"
        f"{speaker.name(hit['programme_b'])}{yuan(hit['fen_b'])}元，应择高享受；较低的是{speaker.name(hit[f'programme_{low}'])}。"
    )


def _twice(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    name = speaker.name(hit["programme_a"])
    amounts = f"份额分别为{yuan(hit['fen_a'])}元、{yuan(hit['fen_b'])}元"
    categories = f"，类别分别为{hit['fact']}" if hit["fact"] and "、" in hit["fact"] else ""
    where = (
        f"{hit['area_a']}和{hit['area_b']}两处的{name}名册"
        if hit["area_a"] != hit["area_b"]
        else f"{hit['area_a']}{name}名册的两处"
    )
    return f"{hit['name_a']}在 {months} 同时列在{where}{categories}，{amounts}。"


def _death(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    fact = str(hit["fact"]).split("|")
    latest = fact[-1] == "latest"
    died, persons, lead = ([*fact, "", ""])[:3]
    if hit["code"] == "after_death_undated":
        died, persons, lead = "", *[part for part in fact if part != "latest"][-2:]
    name = speaker.name(hit["programme_a"])
    when = (
        f"在死亡名单上，最迟于 {died} 去世（火化或注销户口日期）"
        if died and latest
        else f"已于 {died} 去世"
        if died
        else "在死亡名单上（名单没有写死亡日期）"
    )
    text = (
        f"{hit['name_a']}{when}，{months} 仍在{name}名册{_place(hit['area_a'])}上，每月全户{yuan(hit['fen_b'])}元"
        if int(persons or 1) > 1
        else f"{hit['name_a']}{when}，{months} 仍在{name}名册{_place(hit['area_a'])}上，每月{yuan(hit['fen_b'])}元"
    )
    if int(persons or 1) > 1:
        text += (
            f"（{persons}人，本人份额{yuan(hit['fen_a'])}元{'；去世的是户主，账户也须更换' if lead == '1' else ''}）"
        )
    grace = speaker.handling_months(hit["programme_a"], hit["month"])
    if grace and died:
        text += f"；{name}应在死亡之日起{grace}个月内（{add_months(died[:7], grace)}底前）核查办结"
    return text + "。"


def _custody(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    paid = "b" if str(hit["programme_a"]).startswith("register:") else "a"
    listed = "a" if paid == "b" else "b"
    return (
        f"{hit[f'name_{paid}']}在{speaker.name(hit[f'programme_{listed}'])}上，{months} 仍在{speaker.name(hit[f'programme_{paid}'])}"
        f"名册{_place(hit[f'area_{paid}'])}上，每月份额{yuan(hit[f'fen_{paid}'])}元。"
    )


def _flagged(flags: str, claimed: str) -> str:
    """Why the claimed programme's list may not show the person although they are entitled."""
    text = f"该乡镇{claimed}名册多只列户主，成员可能没有列出，须先核对户籍。" if "heads_only" in flags else ""
    refused = flags.partition("refused:")[2]
    return text + (f"该乡镇{claimed}名册有 {refused} 行退回没有改正，先看是否在其中。" if refused else "")


def _claim(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    text, _, flags = str(hit["fact"]).rpartition("|")
    claimed = speaker.name(hit["programme_b"])
    return (
        f"{hit['name_a']}在 {months} {speaker.name(hit['programme_a'])}名册{_place(hit['area_a'])}上写明“{text}”，"
        f"但本人及同户的人都不在当月{claimed}名册上（该乡镇{claimed}名册已导入），涉及金额{yuan(hit['fen_a'])}元。"
        + _flagged(flags, claimed)
    )


def _ground(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    claimed = speaker.name(hit["programme_b"])
    return (
        f"{hit['name_a']}在 {months} 享受{speaker.name(hit['programme_a'])}{_place(hit['area_a'])}每月{yuan(hit['fen_a'])}元，"
        f"但当月{claimed}上查不到（未列入、已失效或已注销）。"
    )


def _tier(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    flags = str(hit["fact"]).rpartition("|")[2]
    claim = speaker.claims.get(hit["rule"])
    names = "、".join(speaker.name(code) for code in claim.programmes) if claim else speaker.name(hit["programme_b"])
    note = f"（{claim.note}）" if claim and claim.note else ""
    return (
        f"{hit['name_a']}在 {months} {speaker.name(hit['programme_a'])}{_place(hit['area_a'])}每月发{yuan(hit['fen_a'])}元{note}，"
        f"但本人及同户的人都不在当月{names}名册上。" + _flagged(flags, "")
    )


def _account(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    account, _, people = str(hit["fact"]).rpartition("|")
    return (
        f"账户{mask_account(account)}在 {months} 同时收{hit['name_a']}的{speaker.name(hit['programme_a'])}{yuan(hit['fen_a'])}元和"
        f"{hit['name_b']}的{speaker.name(hit['programme_b'])}{yuan(hit['fen_b'])}元，两人不在任何名册的同一户里；该账户当月共收 {people} 人的钱。"
    )


def _facts(hit: Mapping[str, Any]) -> dict[str, str]:
    """``fact`` written as ``word=value|word=value``."""
    return {word: value for word, _, value in (part.partition("=") for part in str(hit["fact"] or "").split("|"))}


def _changed(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    fact = _facts(hit)
    old = f"{fact['原月份']} 名册上是" if fact["原处"] == "名册" else f"{fact['原月份']} 发放时是"
    text = (
        f"{hit['name_a']}在 {months} {speaker.name(hit['programme_a'])}名册{_place(hit['area_a'])}上的账户是{mask_account(fact['新账号'])}，"
        f"{old}{mask_account(fact['原账号'])}，本次应发{yuan(hit['fen_a'])}元。"
    )
    if hit["code"] == "accounts_changed_together":
        who = f"，由{fact['经办']}导入（{fact.get('文件', '')}）" if fact.get("经办") else ""
        text += f"同一份名册 {fact['可比人数']} 人中有 {fact['人数']} 人换了账户{who}。"
    return text


def _payee(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    fact = _facts(hit)
    return (
        f"{hit['name_a']}在 {months} {speaker.name(hit['programme_a'])}名册{_place(hit['area_a'])}上每月{yuan(hit['fen_a'])}元，打入户名为"
        f"“{fact['户名']}”的账户{mask_account(fact['账号'])}；名册和名单上看不出两人是一户，代领的须有协议和备案。"
    )


def _missed(speaker: Speaker, hit: Mapping[str, Any], months: str) -> str:
    age, certified, grade, kind, refused = str(hit["fact"]).split("|")
    due = speaker.name(hit["programme_b"])
    facts = []
    if str(hit["programme_a"]).startswith("register:"):
        facts.append(f"在{speaker.name(hit['programme_a'])}上")
    else:
        facts.append(f"在{speaker.name(hit['programme_a'])}名册{_place(hit['area_a'])}上")
    if age:
        facts.append(f"{age}周岁")
    if certified:
        facts.append(f"持有效残疾证{kind}{'一二三四'[int(grade) - 1] + '级' if grade else ''}")
    verb = "按规定应享受" if hit["severity"] == "strong" else "可能符合"
    return f"{hit['name_a']}{months} {'，'.join(facts)}，{verb}{due}，但{hit['area_a']}已导入的{due}名册上没有此人{f'（该名册有 {refused} 行退回没有改正，可能在其中）' if refused else ''}。"


_SENTENCES: dict[str, Callable[[Speaker, Mapping[str, Any], str], str]] = {
    "exclusive": _both,
    "exclusive_household": _household,
    "over_cap": _cap,
    "lower_of_two": _lower,
    "same_programme_twice": _twice,
    "two_towns": _twice,
    "rural_and_urban": _twice,
    "after_death": _death,
    "after_death_undated": _death,
    "in_custody": _custody,
    "declared_missing": _custody,
    "claim_not_borne_out": _claim,
    "ground_not_borne_out": _ground,
    "tier_not_borne_out": _tier,
    "shared_account": _account,
    "account_changed": _changed,
    "accounts_changed_together": _changed,
    "payee_unknown": _payee,
    "missed_strong": _missed,
    "missed_candidate": _missed,
}
