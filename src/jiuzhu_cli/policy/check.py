"""Checks that the policy hangs together (``jiuzhu policy check``): each check takes the policy and yields problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from jiuzhu_cli.core.doubt import KINDS as KINDS_OF_DOUBTS
from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.policy.check_income import check_income, used_names
from jiuzhu_cli.policy.check_rules import check_conditions, check_contradictions
from jiuzhu_cli.policy.expression import compile_rule, words_of
from jiuzhu_cli.policy.findings import placeholders
from jiuzhu_cli.policy.floors import check_floors
from jiuzhu_cli.policy.formula import check_units
from jiuzhu_cli.policy.glossary import header_clashes
from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.policy.model import Check, Claim, Event, ParameterValue, Programme, Register, Relation
from jiuzhu_cli.policy.parts import parts_of, tables
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.vocabulary import (
    CHECK_WORDS,
    CIRCUMSTANCE,
    GONE,
    KINDS,
    LINE,
    OF_CASES,
    OF_PERSON,
    PERSON,
    RELATION_WORDS,
    ROW,
    RULE_WORDS,
    SUMS,
    TARIFF_WORDS,
    Kind,
)
from jiuzhu_cli.policy.words import near

REGISTER_FIELDS = frozenset(
    "id_no name event_date valid_from valid_to status kind grade certificate_no related_id_no related_name relation"
    " organisation amount_fen quantity town village".split()
)
POSTING_COLUMNS = frozenset("head_name name village category care_mode household_size persons amount kin_filed".split())
PARTS = parts_of(Policy)
FILES = {part.part for part in PARTS.values() if not part.folder}
FOLDERS = {part.part for part in PARTS.values() if part.folder}


def check_policy(policy: Policy, today: date) -> list[Problem]:
    """All problems found, in a fixed order; [] when the policy is sound."""
    found: list[Problem] = []
    for name in PARTS:
        try:
            getattr(policy, name)
        except PolicyError as error:
            found.append(Problem("error", name, error.message))
    found += _keys(policy)
    if found:
        return found
    for check in CHECKS:
        found += check(policy, today)
    return found


def _keys(policy: Policy) -> Iterator[Problem]:
    """A list under a name that nobody reads (``[[relation]]``) would be lost without a word."""
    known: dict[str, set[str]] = {}
    for part in PARTS.values():
        if part.key:
            known.setdefault(part.part, set()).add(part.key)
    for file, keys in known.items():
        for shown, table in tables(policy.files, file):
            for key in sorted(set(table) - keys):
                yield Problem("error", shown, f"不认识的键“{key}”{near(key, keys)}")


def check_months(policy: Policy, months: Iterable[str]) -> Iterator[Problem]:
    """Months with rolls on whose first day a local series has no value while a wider one has: what is written begins too late."""
    table = policy.parameters
    for name in table.names():
        if not table.applies(name):
            continue
        series = table.chosen(name)
        wanting = [month for month in months if table.value_or_none(name, first_day(month)) is None]
        wider = [one for (other, area), values in table.series.items() if other == name and area != series[0].area and table.region.startswith(area) for one in values]  # fmt: skip
        wanting = [month for month in wanting if any(one.since <= first_day(month) for one in wider)]
        if wanting:
            where = series[0].at(f"参数“{name}”")
            text = f"从 {series[0].since} 起才有值，而 {'、'.join(wanting[:3])} 已导入花名册；把更早的值一起写上（写了本地区的，就不再看全国缺省值）"
            yield Problem("warning", where, text)


def _names(policy: Policy, today: date) -> Iterator[Problem]:
    for header, first, second in header_clashes(policy.glossary):
        yield Problem("error", "glossary.toml", f"表头“{header}”同时属于 {first} 和 {second}")
    owner: dict[str, str] = {}
    entries: list[Programme | Register] = [*policy.programmes.values(), *policy.registers.values()]
    for entry in entries:
        for word in dict.fromkeys(map(compact, (entry.name, *entry.aliases))):
            if owner.setdefault(word, entry.code) != entry.code:
                yield Problem("error", entry.code, f"名称“{word}”同时属于 {owner[word]}")
        for field in entry.required:
            if field not in policy.glossary:
                yield Problem("error", entry.code, f"required 里的“{field}”不是字段{near(field, policy.glossary)}")
    for register in policy.registers.values():
        for field in sorted(set(register.fields) - REGISTER_FIELDS):
            yield Problem("error", register.code, f"fields 里的“{field}”不是名单的列{near(field, REGISTER_FIELDS)}")


def _parameters(policy: Policy, today: date) -> Iterator[Problem]:
    table = policy.parameters
    for first, second in table.twice:
        text = f"{second.since} 起的值写了两次：{first.file} 是 {first.value}，{second.file} 是 {second.value}；用的是后一个"
        yield Problem("error", second.at(f"参数“{second.name}”"), text)
    for (name, area), series in table.series.items():
        where = series[-1].at(f"参数“{name}”{f'（{area}）' if area else ''}")
        for one, following in zip(series, (*series[1:], None), strict=True):
            if one.until is not None and one.until < one.since:
                yield Problem("error", where, f"止期 {one.until} 早于起期 {one.since}")
            if one.until is not None and following is not None:
                if one.until >= following.since:
                    yield Problem(
                        "error", where, f"{one.since} 起的值写到 {one.until}，与 {following.since} 起的值重叠"
                    )
                elif one.until + timedelta(days=1) < following.since:
                    yield Problem("warning", where, f"{one.until} 之后到 {following.since} 之前没有值")
            if bool(one.unit) and isinstance(one.value, bool):
                yield Problem("error", where, "开关（真假）不该有单位")
            if one.unit.startswith("元") and not one.formula and not isinstance(one.value, Decimal):
                yield Problem("error", where, f"以元计的值不是数：{one.value}")
            day = max(one.since, today)
            if (
                one.formula
                and table.applies(name)
                and table.chosen(name) is series
                and (not following or following.since > day)
            ):
                yield from _try(where, lambda name=name, day=day: table.value(name, day))  # type: ignore[misc]
        if table.region.startswith(area) and name == "危改拨付计划":
            yield from _plan(where, series)
    for name in table.names():
        try:
            missing = table.applies(name) and table.value_or_none(name, today) is None
        except PolicyError:  # said above, where the formula stands
            continue
        if missing:
            yield Problem("warning", f"参数“{name}”", f"{today} 没有值")


def _plan(where: str, series: tuple[ParameterValue, ...]) -> Iterator[Problem]:
    for one in series:
        shares = [part.rpartition(":")[2] for part in str(one.value).split(",")]
        if not all(share.isdigit() for share in shares) or sum(map(int, shares)) != 100:
            yield Problem("error", where, f"拨付计划“{one.value}”应写成 阶段:百分比，合计 100")


def _own(policy: Policy, today: date) -> Iterator[Problem]:
    """A file that nobody reads, or a parameter that nothing uses, is a slip of the pen in the bureau's own folder."""
    for name in policy.own_files():
        folder, _, inside = name.partition("/")
        if not (folder in FOLDERS if inside else name in FILES):
            yield Problem("error", f"policy/{name}", f"不认识的文件，没有读{near(folder, FILES | FOLDERS)}")
    shipped = set(load_policy(region=policy.region).parameters.names())
    used = set(_used_words(policy))
    for name in policy.parameters.names():
        if name not in shipped and name not in used:
            yield Problem("warning", f"参数“{name}”", f"没有地方用到，名称写对了吗{near(name, shipped)}")


def _used_words(policy: Policy) -> Iterator[str]:
    for programme in policy.programmes.values():
        yield from programme.review.parameters.values()
        yield from (name for tariff in programme.tariffs for name in (tariff.turning, tariff.switch))
        yield from placeholders(programme.posting.standard)
    rules = [rule.expression for programme in policy.programmes.values() for rule in programme.rules]
    for programme in policy.programmes.values():
        for tariff in programme.tariffs:
            rules += [*tariff.amounts.values(), *([tariff.when] if tariff.when.strip() else [])]
    formulas = [one.formula for series in policy.parameters.series.values() for one in series if one.formula]
    judging: list[Relation | Claim | Check | Event] = [
        *policy.relations, *policy.claims, *policy.checks, *policy.events
    ]  # fmt: skip
    conditions = [rule.when for rule in judging if rule.when.strip()]
    conditions += [event.lines for event in policy.events if event.lines.strip()]
    for text in (*rules, *formulas, *conditions):
        try:
            yield from words_of(text)
        except PolicyError:  # said where it stands
            continue
    for relation in policy.relations:
        yield from (relation.cap, relation.within)
    yield from (rule.switch for rule in judging)
    yield from used_names(policy)


def _programmes(policy: Policy, today: date) -> Iterator[Problem]:
    for programme in policy.programmes.values():
        for role, name in programme.review.parameters.items():
            yield from check_parameter(policy, programme.code, f"review.parameters.{role}", name)
        yield from _tariffs(policy, programme, today)
        for name in placeholders(programme.posting.standard):
            yield from check_parameter(policy, programme.code, "posting.standard", name)
        for column in programme.posting.columns:
            if column not in POSTING_COLUMNS:
                yield Problem(
                    "error", programme.code, f"posting.columns 里的“{column}”不许公示{near(column, POSTING_COLUMNS)}"
                )
        for category in programme.posting.except_categories:
            if category not in programme.categories:
                yield Problem("error", programme.code, f"posting.except_categories 里的“{category}”不是这个项目的类别")
        if not programme.posting.allowed and not programme.posting.reason:
            yield Problem("error", programme.code, "不公示的项目要写明 posting.reason")
        for rule in programme.rules:
            where = programme.at(f"{programme.name}规则“{rule.name}”")
            yield from _expression(policy, where, rule.expression, RULE_WORDS, rule.since or today)


def _tariffs(policy: Policy, programme: Programme, today: date) -> Iterator[Problem]:
    """A tariff table: amounts are arithmetic over parameters in 元, conditions are rules, a part's last lines can be reached."""
    closed: set[tuple[str, str]] = set()
    for tariff in programme.tariffs:
        where = f"{programme.name}标准“{tariff.label or tariff.part}”"
        if tariff.since and tariff.until and tariff.until < tariff.since:
            yield Problem("error", where, "until 早于 since")
        for kind, amount in tariff.amounts.items():
            if kind and programme.categories and kind not in programme.categories:
                yield Problem(
                    "error", where, f"amount 里的“{kind}”不是这个项目的类别{near(kind, programme.categories)}"
                )
            if {(tariff.part, kind), (tariff.part, "")} & closed:
                yield Problem("warning", where, "前面已有不带条件的一行，这一行用不到")
            if (
                not tariff.when.strip()
                and tariff.per != "member"
                and not (tariff.switch or tariff.since or tariff.until)
            ):
                closed.add((tariff.part, kind))
            yield from _amount(policy, where, amount)
        if tariff.when.strip():
            yield from _expression(policy, where, tariff.when, TARIFF_WORDS, tariff.since or today)
        for key, name in (("turning", tariff.turning), ("switch", tariff.switch)):
            if name:
                yield from check_parameter(policy, where, key, name, switch=key == "switch")
    parts = {
        tariff.part: {t.per == "member" for t in programme.tariffs if t.part == tariff.part}
        for tariff in programme.tariffs
    }
    for part, kinds in parts.items():
        if len(kinds) > 1:
            yield Problem("error", f"{programme.name}标准“{part}”", "同一部分里不能有的按成员（member）、有的不按")


def _amount(policy: Policy, where: str, amount: str) -> Iterator[Problem]:
    names: list[str] = []
    yield from _try(where, lambda: names.extend(words_of(amount, where)))
    for name in names:
        yield from check_parameter(
            policy, where, "amount", name, unit="元" if names == [name] == [amount.strip()] else ""
        )
    if not names:
        yield Problem("error", where, f"amount“{amount}”里没有参数：金额写在参数里，注明起始日期和文件")


def _relations(policy: Policy, today: date) -> Iterator[Problem]:
    for relation in policy.relations:
        where = relation.at(f"关系 {relation.id}")
        for side in (relation.a, relation.b):
            yield from check_side(policy, where, side)
        if relation.kind == "T":
            if not relation.cap:
                yield Problem("error", where, "补差（T）要写 cap：封顶参数")
            else:
                yield from check_parameter(policy, where, "cap", relation.cap, unit="元")
            reduced = relation.a if relation.reduce == "a" else relation.b
            if reduced in policy.programmes and policy.programmes[reduced].unit != "person":
                yield Problem("error", where, "补差的一方（reduce）要是按人发的项目")
        if relation.code and (relation.code not in policy.doubts or not policy.doubts[relation.code].says):
            yield Problem(
                "error", where, f"没有写了 says 的疑点代码“{relation.code}”{near(relation.code, policy.doubts)}"
            )
        if relation.within:
            yield from check_parameter(policy, where, "within", relation.within, unit="月")
        if relation.switch:
            yield from check_parameter(policy, where, "switch", relation.switch, switch=True)
        if relation.since and relation.until and relation.until < relation.since:
            yield Problem("error", where, "until 早于 since")
        if relation.when.strip():
            words = RELATION_WORDS | CIRCUMSTANCE if relation.kind in ("E", "C") else RELATION_WORDS
            yield from _expression(policy, where, relation.when, words, relation.since or today)
    for claim in policy.claims:
        where = claim.at(f"声称 {claim.id or '、'.join(claim.words[:2])}")
        for side in claim.programmes:
            yield from check_side(policy, where, side)
        if claim.on:
            yield from check_side(policy, where, claim.on)
        if not claim.programmes or not (claim.words or claim.on):
            yield Problem("error", where, "要写 programmes，并写 words 或 on")
        for side in claim.needs:
            yield from check_side(policy, where, side)
        if claim.when.strip():
            yield from _expression(policy, where, claim.when, PERSON | ROW, today)
            if not claim.on or claim.words:
                yield Problem("error", where, "when 只用于写 on、不写 words 的声称")
        if claim.switch:
            yield from check_parameter(policy, where, "switch", claim.switch, switch=True)


def _checks(policy: Policy, today: date) -> Iterator[Problem]:
    for code in policy.doubts.values():
        if code.kind not in KINDS_OF_DOUBTS:
            yield Problem("error", f"疑点 {code.code}", f"没有“{code.kind}”这一类{near(code.kind, KINDS_OF_DOUBTS)}")
        try:
            placeholders(code.says)
        except ValueError:
            yield Problem("error", f"疑点 {code.code}", f"花括号不成对：{code.says}")
    for check in policy.checks:
        where = check.at(f"检查 {check.id}")
        for side in (*check.on, *([check.against] if check.against else [])):
            yield from check_side(policy, where, side)
        if check.code not in policy.doubts:
            yield Problem("error", where, f"没有疑点代码“{check.code}”{near(check.code, policy.doubts)}")
        elif not policy.doubts[check.code].says:
            yield Problem("error", where, f"疑点代码“{check.code}”没有写 says，不能用于检查")
        if check.switch:
            yield from check_parameter(policy, where, "switch", check.switch, switch=True)
        yield from _expression(policy, where, check.when, CHECK_WORDS, check.since or today)


def _events(policy: Policy, today: date) -> Iterator[Problem]:
    seen: set[str] = set()
    for event in policy.events:
        where = f"事项 {event.id}"
        if event.id in seen:
            yield Problem("error", where, "id 与另一条事项相同")
        seen.add(event.id)
        for side in (*event.on, *(f"register:{code}" for code in event.registers), *([event.to] if event.to else [])):
            yield from check_side(policy, where, side)
        if event.action == "transfer" and event.per != "built_in" and not event.to:
            yield Problem("error", where, "转到哪个项目，要写 to")
        if (event.action == "start") != (event.per == "outside") and event.per != "built_in":
            yield Problem("error", where, '新增（start）只用于 per = "outside"，反过来也是')
        if event.per == "outside" and (not event.on or event.registers):
            yield Problem("error", where, 'per = "outside" 要写 on（哪个项目），不写 registers')
        if event.then == "transfer" and not event.to:
            yield Problem("error", where, 'then = "transfer" 要写 to')
        if event.switch:
            yield from check_parameter(policy, where, "switch", event.switch, switch=True)
        if event.per == "built_in":
            continue
        if not (event.when.strip() or event.registers):
            yield Problem("error", where, "要写 when 或 registers")
        numbers: dict[str, tuple[Kind, str]] = {
            word: ("number", "") for code in event.registers if code in policy.registers for word in policy.registers[code].numbers
        }  # fmt: skip
        words = {"outside": OF_PERSON, "gone": GONE}.get(event.per, OF_CASES)
        if event.registers:
            yield from _expression(policy, where, event.lines or "true", words | LINE | numbers, event.since or today)
            words = words | LINE | numbers | SUMS
        if event.when.strip():
            yield from _expression(policy, where, event.when, words, event.since or today)


def _rest(policy: Policy, today: date) -> Iterator[Problem]:
    for text in policy.findings.values():
        for template in (text.message, text.todo):
            try:
                placeholders(template)
            except ValueError:
                yield Problem("error", f"发现 {text.code}", f"花括号不成对：{template}")
    for stretch in policy.holidays:
        if stretch.last < stretch.first:
            yield Problem("error", "holidays.toml", f"{stretch.name} {stretch.first} 的止日早于起日")
    if policy.holidays and today.year > max(one.last.year for one in policy.holidays):
        yield Problem("warning", "holidays.toml", f"没有 {today.year} 年的节假日，工作日只按周末数")


def check_side(policy: Policy, where: str, side: str) -> Iterator[Problem]:
    """Whether a programme, ``register:CODE`` or ``stopped:CODE`` exists."""
    kind, _, code = side.rpartition(":")
    known: Mapping[str, object] = policy.registers if kind == "register" else policy.programmes
    if side != "*" and (kind not in ("", "register", "stopped") or code not in known):
        yield Problem("error", where, f"没有叫“{side}”的{'名单' if kind == 'register' else '项目'}{near(code, known)}")


def check_parameter(
    policy: Policy, where: str, key: str, name: str, *, switch: bool = False, unit: str = ""
) -> Iterator[Problem]:
    """Whether a parameter exists, has a value for the region, is a switch, is counted in ``unit``."""
    table = policy.parameters
    if name not in table.names():
        yield Problem("error", where, f"{key} 里的参数“{name}”不存在{near(name, table.names())}")
    elif not table.applies(name):
        yield Problem("warning", where, f"{key} 里的参数“{name}”没有适用于本地区的值")
    else:
        for one in table.chosen(name):
            if switch and not isinstance(one.value, bool):
                yield Problem("error", where, f"{key} 里的“{name}”不是开关（真假）")
                return
            if unit and not one.unit.startswith(unit):
                yield Problem("error", where, f"{key} 里的“{name}”不以{unit}计")
                return


def _expression(policy: Policy, where: str, expression: str, words: Mapping[str, Any], on: date) -> Iterator[Problem]:
    def attempt() -> None:
        used = words_of(expression, where)
        values = policy.values_of(used, words, on, where)
        compile_rule(
            expression, dict.fromkeys(words, "x"), {word: one.value for word, one in values.items()}, where=where
        )
        money = {word for word, one in values.items() if one.unit.startswith("元")}
        check_units(expression, {word for word, kind in KINDS.items() if kind == "money"} | money, set(used), where)

    yield from _try(where, attempt)


def _try(where: str, attempt: Callable[[], object]) -> Iterator[Problem]:
    try:
        attempt()
    except PolicyError as error:
        yield Problem("error", where, error.message)


CHECKS: tuple[Callable[[Policy, date], Iterator[Problem]], ...] = (
    _names,
    _parameters,
    _own,
    _programmes,
    _relations,
    _checks,
    _events,
    check_conditions,
    check_contradictions,
    check_floors,
    check_income,
    _rest,
)
