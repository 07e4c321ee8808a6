"""What was found of a case in sentences, as clerks read them (internal: names in full, no ID), and the articles it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.policy.model import Event, ParameterValue
from jiuzhu_cli.review import tiers
from jiuzhu_cli.review.income_steps import income_reason

if TYPE_CHECKING:
    from jiuzhu_cli.review.as_if import Due
    from jiuzhu_cli.review.events import Hit
    from jiuzhu_cli.review.proposing import Case, Fact, Sources

Ranked = tuple[str, Event, "Hit | None"]
MOST_LINES = 5  # lines of registers that one reason shows


def reasons(one: Ranked, case: Case, sources: Sources) -> list[str]:
    """Sentences of one finding; all hits of one event together in one."""
    code, event, hit = one
    if hit is None:
        return _built_in(code, case, sources)
    hits = [other for other in case.hits if other.number == hit.number]
    return [event_text(event, hits, sources)] if hits[0] is hit else []


def event_text(event: Event, hits: list[Hit], sources: Sources) -> str:
    """The event's message with the persons, the registers' lines (value, file, row), their sum and the parameters compared with."""
    compiled = sources.found.compiled[hits[0].number]
    names = list(dict.fromkeys(hit.name for hit in hits))
    text = (event.message or event.name).replace("{姓名}", "、".join(names))
    if "{上月金额}" in text:
        hit = hits[0]
        before = sources.previous.get(hit.key) if hit.key else hit.before_fen
        text = text.replace("{上月金额}", f"{yuan(before)} 元" if before is not None else "未载")
    lines = [line_text(sources.found.lines[hit.line], sources.names) for hit in hits if hit.line in sources.found.lines]
    told = [] if event.per == "case" or "{姓名}" in event.message else ["、".join(names)]
    told += lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        told.append(f"等 {len(lines)} 条")
    if len(lines) > 1 and hits[0].case_fen:
        told.append(f"合计 {yuan(hits[0].case_fen)} 元")
    told += [f"{one.name} {value_of(one)}" for one in compiled.parameters if not isinstance(one.value, bool)]
    return text + (f"（{'；'.join(told)}）" if told else "")


def value_of(value: ParameterValue) -> str:
    """A parameter's value with its unit: switches are 是 or 否."""
    if isinstance(value.value, bool):
        return "是" if value.value else "否"
    return f"{value.value}{value.unit}{'' if value.confirmed else '，请核对'}"


def line_text(line: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """One register's line: what it says, and where it stands."""
    register = names.get(f"register:{line['register']}", line["register"])
    said = [line["kind"], line["organisation"], line["certificate_no"] or "", line["status"]]
    if line["amount_fen"] is not None:
        said.append(f"{yuan(line['amount_fen'])} 元")
    if line["event_date"]:
        said.append(line["event_date"])
    elif line["valid_from"] or line["valid_to"]:
        said.append(f"{line['valid_from'] or '—'} 至 {line['valid_to'] or '—'}")
    where = " ".join(str(part) for part in (line["file_name"], line["sheet"], f"第 {line['source_row']} 行") if part)
    return f"{register}：{' '.join(part for part in said if part)}（{where}）"


def both_sides(fact: Fact, before: int | None, event: Event, due: Due, later: str, sources: Sources) -> tuple[str, ...]:
    """A transfer's two sides with their months: what ends, and what begins the month after; neither gap nor overlap."""
    old, new = sources.names.get(fact["programme"], fact["programme"]), sources.names.get(event.to, event.to)
    last = add_months(later, -1)
    ends = f"{old}{'' if before is None else f' {yuan(before)} 元'}发至 {last}"
    begins = f"{new} {yuan(due.fen)} 元" if due.fen else new + ("（不发放）" if due.fen == 0 else "，金额按新项目核定")
    return (f"{ends}；{begins}，自 {later} 起",)


def changes_next_month(month: str, fen: int) -> str:
    """The sum that is right for ``month`` is not that of the next: somebody has reached an age."""
    return f"有成员本月满龄，{add_months(month, 1)} 起应为 {yuan(fen)} 元，下月复核会再建议调整"


def old_and_new_head(since: str) -> tuple[str, ...]:
    """The months of the two households when the head has died; neither gap nor overlap."""
    return (f"旧户至 {add_months(since, -1)} 止，新户自 {since} 起",)


def grace(sources: Sources, since: str) -> tuple[str, ...]:
    """How long: from the 1st of the month after the decision, the household's amount as it was without add-ons."""
    until = add_months(since, sources.grace_months - 1)
    return (
        f"渐退 {sources.grace_months} 个月（{since} 至 {until}），按原户补差金额发放，不含分类施保；户主死亡的终止",
    )


def _built_in(code: str, case: Case, sources: Sources) -> list[str]:
    from jiuzhu_cli.review.proposing import computed

    fact, verdict = case.fact, case.verdict
    before: int | None = fact["amount_fen"]
    found = computed(before, verdict) if verdict and verdict["ways"] == 1 else None
    if code == "all_dead":
        return [f"{fact['dead_names']}已死亡（{fact['last_died'] or '日期未载'}），应从死亡次月起停发"]
    if code == "head_dead":
        return _head_dead(fact, found, sources)
    if code == "member_leaves":
        return _member_leaves(fact, verdict, found)
    if code == "stopped":
        return [
            f"{'复核' if fact['stop_doubt'].startswith('R') else '疑点'} {fact['stop_doubt']} 已核实，决定停发本项{_beside(fact, sources)}"
        ]
    if code == "relinked":
        link = sources.links[fact["key"]]
        if link["kind"] == "transfer":
            old = sources.names.get(link["from_programme"], link["from_programme"])
            return [f"上月是{old}，本月转来：核对金额和起始月份，{old}不再发放（不计新增、退出）"]
        return [f"由{link['old_name']}户停旧建新而来：核对金额、账户和成员（不计新增、退出）"]
    if code == "amount":
        return _amount(fact, verdict, before, found)
    if code in ("care_differs", "assessment_old", "reassess_late"):
        return tiers.reasons(code, fact)
    if code.startswith("rule_"):
        return [one.rule.message for one in case.failed if one.rule.on_fail == code.removeprefix("rule_")]
    if code in ("income_differs", "income_gap", "income_leads"):
        return [income_reason(code, fact)]
    return {
        "income_missing": ["缺家庭收入或收入周期，不能核算金额"],
        "persons_missing": ["缺保障人数，不能核算金额"],
        "care_missing": ["缺生活自理能力（或写法不明），照料护理档次不能确定"],
        "misnamed": [f"死亡名单上有同一身份证号而姓名不同的人（花名册：{fact['misnamed']}），先核对身份"],
        "kin": [f"{fact['kin_who']}是经办人员或村（居）干部的近亲属，花名册未注明备案：请登记备案并入户调查"],
    }[code]  # fmt: skip


def _head_dead(fact: Fact, found: int | None, sources: Sources) -> list[str]:
    if fact["benefit"] == "status":
        tail = "，其他成员的身份随新户认定"
    else:
        tail = "，其他成员的金额须按新户重新核定" if found is None else f"，新户应发 {yuan(found)} 元"
    told = [f"户主{fact['name']}已死亡（{fact['died'] or '日期未载'}），停旧户、建新户{tail}"]
    if fact["key"] in sources.heirs:
        told.append(sources.heirs[fact["key"]])
    if fact["key"] in sources.graces:
        told.append("户主死亡，渐退终止")
    return told


def _member_leaves(fact: Fact, verdict: dict[str, Any] | None, found: int | None) -> list[str]:
    told = []
    if fact["dead_names"]:
        told.append(f"家庭成员{fact['dead_names']}已死亡（{fact['last_died'] or '日期未载'}），其份额应减除")
    if fact["stopped_names"]:
        told.append(f"家庭成员{fact['stopped_names']}经核实不应重复享受，其份额应减除")
    if verdict is None or found is None:
        told.append("没有收入或人数，减除后的金额请核定")
    elif found == 0:
        told.append("按花名册所载收入已无补差，但其中可能含离开成员的收入，请入户重新核定")
    elif verdict["fits"]:
        told.append("金额已相符，请从名册中去掉该成员")
    else:
        told.append("家庭收入按花名册所载，离开成员本人的收入请一并核减")
    return told


def _beside(fact: Fact, sources: Sources) -> str:
    """What the doubt set against this benefit, in brackets; '' when it named nothing."""
    other = fact["stop_other"] or ""
    name = sources.names.get(other, other)
    if not other:
        return ""
    if other == fact["programme"]:
        return f"（{name}另有一份）"
    return f"（见{name}）" if other.startswith("register:") else f"（另一方：{name}）"


def _amount(fact: Fact, verdict: dict[str, Any] | None, before: int | None, found: int | None) -> list[str]:
    assert verdict is not None
    if found is None:
        ways = "、".join(yuan(one) for one in verdict["amounts"])
        return [f"花名册 {yuan(before)} 元，与按所缺情况（城乡、档次等）算得的 {ways} 元都不相符，请补全情况后核定"]
    told = f"花名册 {yuan(before)} 元，按 {fact['month']} 的标准核算应为 {yuan(found)} 元"
    if before is not None:
        told += f"，{'少' if found > before else '多'} {yuan(abs(found - before))} 元"
    if verdict["beside"]:
        told += f"（{verdict['beside']}）"
    if fact["size"] and fact["covered"] and fact["size"] != fact["covered"]:
        told += f"（家庭人口 {fact['size']} 人，保障 {fact['covered']} 人）"
    return [told]


def basis(one: Ranked, case: Case, sources: Sources) -> list[str]:
    """The articles of one finding."""
    code, event, hit = one
    fact = case.fact
    if hit is not None:
        return [event.source]
    if code in ("all_dead", "head_dead", "misnamed") or (code == "member_leaves" and fact["dead_names"]):
        return [sources.death]
    if code == "stopped":
        return [fact["stop_basis"]]
    if code.startswith("rule_"):
        return [one.rule.source for one in case.failed if one.rule.on_fail == code.removeprefix("rule_")]
    source = sources.programmes[fact["programme"]].source
    if code == "amount" and case.verdict and case.verdict["beside"]:
        return [source, case.verdict["beside_basis"]]
    if code in ("care_differs", "assessment_old", "reassess_late"):
        return [event.source]
    return [sources.kin] if code == "kin" else [source]
