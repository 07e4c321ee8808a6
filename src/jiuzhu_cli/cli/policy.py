"""jiuzhu policy: what the policy data say, for a region and a day; whether they hang together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import typer

from jiuzhu_cli.cli.context import Context, table
from jiuzhu_cli.cli.policyversion import Version, version_on
from jiuzhu_cli.cli.words import CONTAINERS
from jiuzhu_cli.core.errors import UsageError

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import ParameterValue, Programme, Register, Relation, Shape

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

REGION = typer.Option("", "--region", help="行政区划代码；缺省为工作区的地区。")
ON = typer.Option("", "--on", help="哪一天（YYYY-MM-DD）的值；缺省为今天。")
MONTH = typer.Option("", "--month", help="哪个月（YYYY-MM）核算用的值：已发放的月份是发放时的，不是现在文件里的。")
BENEFITS = {
    "top_up": "补差", "graded": "分档", "fixed": "定额", "one_off": "一次性", "instalments": "分期", "reimbursement": "报销",
    "service": "服务", "status": "身份认定",
}  # fmt: skip
TYPES = {
    "id": "身份证号", "name": "姓名", "text": "文字", "amount": "金额", "count": "个数", "date": "日期", "month": "月份", "account": "账号",
    "phone": "电话", "area": "地区", "code": "编号",
}  # fmt: skip
LEVELS = {"person": "每人", "case": "每户"}
KEYS = {
    "parameter": "参数", "at_least": "不低于", "at_most": "不高于", "when": "条件", "lines": "计数的行", "source": "依据", "basis": "依据", "note": "说明",
    "on": "项目", "action": "建议", "message": "理由", "rank": "次序", "switch": "开关", "since": "起", "until": "止", "months": "月数", "programmes": "项目",
}  # fmt: skip
KINDS = {"X": "互斥", "T": "补差封顶", "H": "择高", "S": "可叠加", "E": "应享", "C": "候选"}


@app.command("list", help="列出当日的参数；加选项列出项目、名单、关系、开关、银行格式、字段。")
def list_(
    ctx: typer.Context,
    programmes: bool = typer.Option(False, "--programmes", help="列出救助项目。"),
    registers: bool = typer.Option(False, "--registers", help="列出比对名单。"),
    relations: bool = typer.Option(False, "--relations", help="列出项目之间的关系。"),
    checks: bool = typer.Option(False, "--checks", help="列出名册对照名单的检查。"),
    rules: bool = typer.Option(False, "--rules", help="列出各项目的资格规则。"),
    events: bool = typer.Option(False, "--events", help="列出动态复核的变动，包括各名单命中说明什么。"),
    floors: bool = typer.Option(False, "--floors", help="列出底线：标准不低于、期限不超过什么。"),
    banks: bool = typer.Option(False, "--banks", help="列出银行代发格式。"),
    fields: bool = typer.Option(False, "--fields", help="列出字段和认得的表头写法。"),
    switches: bool = typer.Option(False, "--switches", help="只列当地开关。"),
    unconfirmed: bool = typer.Option(False, "--unconfirmed", help="只列请核对的参数。"),
    on: str = ON,
    month: str = MONTH,
    region: str = REGION,
) -> None:
    context: Context = ctx.obj
    version = version_on(context, region, on, month)
    policy = version.policy
    rows: list[tuple[Any, ...]]
    if programmes:
        rows = [
            (
                p.code,
                p.name,
                p.group,
                _unit(p.unit),
                BENEFITS[p.benefit],
                p.department,
                p.since.isoformat() if p.since else "",
            )
            for p in policy.programmes.values()
        ]
        _emit(
            context,
            "programmes",
            rows,
            ("code", "name", "group", "unit", "benefit", "department", "since"),
            ["代码", "项目", "类别", "单位", "性质", "部门", "施行"],
        )
    elif registers:
        rows = [(r.code, r.name, r.department, r.meaning) for r in policy.registers.values()]
        _emit(context, "registers", rows, ("code", "name", "department", "meaning"), ["代码", "名单", "部门", "说明"])
    elif relations:
        rows = [
            (r.id, _side(policy, r.a), KINDS[r.kind], _side(policy, r.b), r.when, r.switch, r.basis)
            for r in policy.relations
        ]
        keys = ("id", "a", "kind", "b", "when", "switch", "basis")
        _emit(
            context, "relations", rows, keys, ["编号", "甲方（已有）", "关系", "乙方（应有）", "条件", "开关", "依据"]
        )
    elif checks:
        rows = [
            (c.id, "、".join(_side(policy, one) for one in c.on) or "全部", policy.doubts[c.code].name, c.when, c.switch, c.basis)
            for c in policy.checks
        ]  # fmt: skip
        _emit(
            context,
            "checks",
            rows,
            ("id", "on", "doubt", "when", "switch", "basis"),
            ["编号", "名册", "疑点", "条件", "开关", "依据"],
        )
    elif rules:
        rows = [
            (p.name, r.name, r.expression, "停发" if r.on_fail == "stop" else "核查", r.source)
            for p in policy.programmes.values() for r in p.rules
        ]  # fmt: skip
        _emit(context, "rules", rows, ("programme", "name", "expression", "on_fail", "source"), ["项目", "规则", "条件", "不符合", "依据"])  # fmt: skip
    elif events:
        rows = [(e.id, e.name, "、".join(_side(policy, one) for one in e.on) or "全部", e.when or e.lines, e.switch, e.source) for e in policy.events]  # fmt: skip
        _emit(context, "events", rows, ("id", "name", "on", "when", "switch", "source"), ["编号", "变动", "项目", "条件", "开关", "依据"])  # fmt: skip
    elif floors:
        rows = [(f.id, f.parameter, f"不低于 {f.at_least}" if f.at_least else f"不高于 {f.at_most}", f.since.isoformat() if f.since else "", "" if f.confirmed else "请核对", f.source) for f in policy.floors]  # fmt: skip
        _emit(context, "floors", rows, ("id", "parameter", "limit", "since", "confirmed", "source"), ["编号", "参数", "底线", "起", "核对", "依据"])  # fmt: skip
    elif banks:
        rows = [(b.code, b.name, b.container, b.encoding, "、".join(b.banks)) for b in policy.banks.values()]
        _emit(
            context,
            "banks",
            rows,
            ("code", "name", "container", "encoding", "banks"),
            ["代码", "格式", "载体", "编码", "适用银行"],
            {2: CONTAINERS},
        )
    elif fields:
        rows = [(f.code, f.name, f.type, f.level, "、".join(f.aliases)) for f in policy.glossary.values()]
        _emit(
            context,
            "fields",
            rows,
            ("code", "name", "type", "level", "aliases"),
            ["代码", "字段", "类型", "层级", "表头写法"],
            {2: TYPES, 3: LEVELS},
        )
    else:
        _parameters(context, version, switches=switches, unconfirmed=unconfirmed)


def _parameters(context: Context, version: Version, *, switches: bool, unconfirmed: bool) -> None:
    policy, day = version.policy, version.day
    values = [policy.parameter_or_none(name, day) for name in policy.parameters.names()]
    chosen = [
        one
        for one in values
        if one is not None and (not switches or isinstance(one.value, bool)) and not (unconfirmed and one.confirmed)
    ]
    rows = [
        (
            one.name,
            _value(one),
            one.unit,
            one.since.isoformat(),
            one.area or "全国",
            "" if one.confirmed else "请核对",
            one.source,
        )
        for one in chosen
    ]
    lines = [
        *version.told(),
        f"{policy.region or '未设地区'}　{day.isoformat()} 的政策参数 {len(rows)} 项，请核对 {sum(1 for r in rows if r[5])} 项",
        "",
    ]
    lines.append(table(rows, ["参数", "值", "单位", "起", "地区", "核对", "来源"]))
    shown = [_json(one) for one in chosen]
    context.emit(
        {"region": policy.region, "on": day.isoformat(), "version": version.as_json(), "parameters": shown}, lines
    )


@app.command("show", help="看一个参数（含历次变动）、项目、名单或关系。例：jiuzhu policy show 低保标准 --on 2026-05-01")
def show(
    ctx: typer.Context,
    name: str = typer.Argument(
        ..., metavar="名称", help="参数名（可只写开头）、项目或名单的代码、名称、简称，或关系、检查的编号。"
    ),
    on: str = ON,
    month: str = MONTH,
    region: str = REGION,
) -> None:
    from jiuzhu_cli.policy.words import near

    context: Context = ctx.obj
    version = version_on(context, region, on, month)
    policy = version.policy
    names = policy.parameters.names()
    wanted = (
        [name]
        if name in names
        else [one for one in names if one.startswith(name)] or [one for one in names if name in one]
    )
    relation = next((one for one in policy.relations if one.id == name), None)
    check = next((one for one in policy.checks if one.id == name), None)
    entry = _entry(policy, name)
    if entry is not None and name not in names:
        _show_entry(context, policy, entry)
    elif relation is not None:
        _show_relation(context, policy, relation)
    elif check is not None:
        pairs = (("名册", "、".join(_side(policy, one) for one in check.on) or "全部"), ("条件", check.when), ("开关", check.switch), ("说明", check.note), ("依据", check.basis))  # fmt: skip
        lines = [f"{check.id}　{policy.doubts[check.code].name}"] + [
            f"  {label}：{text}" for label, text in pairs if text
        ]
        context.emit(check.model_dump(mode="json"), lines)
    elif (other := _listed(policy, name)) is not None:
        told = other.model_dump(mode="json", exclude_defaults=True)
        lines = [f"{name}　{told.get('name', '')}（{other.file}）", *(f"  {KEYS.get(key, key)}：{value}" for key, value in told.items() if key not in ("id", "name"))]  # fmt: skip
        context.emit(other.model_dump(mode="json"), lines)
    elif wanted:
        _show_parameters(context, version, wanted)
    else:
        entries: list[Programme | Register] = [*policy.programmes.values(), *policy.registers.values()]
        known = [*names, *(word for one in entries for word in (one.name, *one.aliases))]
        raise UsageError(f"没有叫“{name}”的参数、项目、名单或关系{near(name, known)}", "用 jiuzhu policy list 查看")


def _entry(policy: Policy, name: str) -> Programme | Register | None:
    for find in (policy.programme, policy.register):
        try:
            return find(name)
        except UsageError:
            continue
    return None


def _listed(policy: Policy, name: str) -> Shape | None:
    """The entry of any list (变动、底线、周期、收入项目 …) with this ``id``."""
    from jiuzhu_cli.policy.parts import Listed, parts_of

    lists = [getattr(policy, kind) for kind, part in parts_of(type(policy)).items() if isinstance(part, Listed)]
    return next((one for entries in (*lists, policy.events) for one in entries if getattr(one, "id", "") == name), None)


def _show_parameters(context: Context, version: Version, names: list[str]) -> None:
    policy, day = version.policy, version.day
    lines: list[str] = version.told()
    data = []
    for name in names:
        if not policy.parameters.applies(name):
            continue
        now = policy.parameter_or_none(name, day)
        series = policy.parameters.chosen(name)
        shown = f"{_value(now)} {now.unit}".strip() if now is not None else "没有值"
        mark = "　请核对" if now is not None and not now.confirmed else ""
        lines += [f"{name}：{day.isoformat()} 为 {shown}{mark}"]
        if now is not None and now.formula:
            lines.append(f"  算法：{now.formula}")
        if now is not None:
            lines.append(f"  来源：{now.source}{'；' + now.note if now.note else ''}")
        rows = [
            (one.since.isoformat(), one.until.isoformat() if one.until else "", one.formula or _value(one), one.source)
            for one in series
        ]
        lines += ["  " + line for line in table(rows, ["起", "止", "值", "来源"]).splitlines()] + [""]
        data.append({"name": name, "value": _json(now) if now else None, "series": [_json(one) for one in series]})
    context.emit(
        {"region": policy.region, "on": day.isoformat(), "version": version.as_json(), "parameters": data},
        lines[:-1] if data else ["没有适用于本地区的值。"],
    )


def _show_entry(context: Context, policy: Policy, entry: Programme | Register) -> None:
    from jiuzhu_cli.policy.model import Programme

    lines = [
        f"{entry.name}（{entry.code}）　{entry.department}",
        f"  简称：{'、'.join(entry.aliases)}",
        f"  依据：{entry.source}",
    ]
    if isinstance(entry, Programme):
        since = f"，{entry.since.isoformat()} 起施行" if entry.since else ""
        lines.append(
            f"  {entry.group + '，' if entry.group else ''}按{_unit(entry.unit)}，{BENEFITS[entry.benefit]}，{'发钱' if entry.payment.payable else '不发钱'}{since}"
        )
        posting = entry.posting
        lines.append(
            f"  公示：{'、'.join(_field(policy, one) for one in posting.columns)}"
            if posting.allowed
            else f"  不公示：{posting.reason}（{posting.basis}）"
        )
        for rule in entry.rules:
            lines.append(f"  规则“{rule.name}”：{rule.expression}（{rule.source}）")
        for tariff in entry.tariffs:
            amounts = "、".join(f"{kind}{text}" for kind, text in tariff.amounts.items())
            lines.append(f"  {tariff.label or tariff.part}：{amounts}{'，条件：' + tariff.when if tariff.when else ''}{'，开关：' + tariff.switch if tariff.switch else ''}")  # fmt: skip
        for relation in policy.relations:
            if entry.code in (relation.a, relation.b):
                lines.append(
                    f"  {relation.id} {_side(policy, relation.a)} {KINDS[relation.kind]} {_side(policy, relation.b)}"
                    f"{'，条件：' + relation.when if relation.when else ''}{'，开关：' + relation.switch if relation.switch else ''}"
                )
    else:
        lines.append(f"  含义：{entry.meaning}")
        lines += [f"  {_field(policy, column)}：{'、'.join(headers)}" for column, headers in entry.fields.items()]
        lines += [f"  命中：{one.name}，条件：{one.when or one.lines}（{one.source}）" for one in policy.events if entry.code in one.registers]  # fmt: skip
    context.emit(entry.model_dump(mode="json"), lines)


def _show_relation(context: Context, policy: Policy, relation: Relation) -> None:
    pairs = (
        ("条件", relation.when),
        ("封顶", relation.cap),
        ("开关", relation.switch),
        ("说明", relation.note),
        ("依据", relation.basis),
    )
    lines = [
        f"{relation.id}　{_side(policy, relation.a)} — {KINDS[relation.kind]} — {_side(policy, relation.b)}（按{_unit(relation.level)}）"
    ]
    lines += [f"  {label}：{text}" for label, text in pairs if text]
    context.emit(relation.model_dump(mode="json"), lines)


def _emit(
    context: Context,
    key: str,
    rows: list[tuple[Any, ...]],
    keys: tuple[str, ...],
    headers: list[str],
    words: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
) -> None:
    """The rows as JSON objects and as a table; ``words``: by column, what the screen says for its codes."""
    shown = [[words[n].get(value, value) if n in words else value for n, value in enumerate(row)] for row in rows]
    context.emit({key: [dict(zip(keys, row, strict=True)) for row in rows]}, [table(shown, headers)])


def _field(policy: Policy, code: str) -> str:
    return policy.glossary[code].name if code in policy.glossary else {"amount": "金额"}.get(code, code)


def _value(one: ParameterValue) -> str:
    return ("是" if one.value else "否") if isinstance(one.value, bool) else str(one.value)


def _json(one: ParameterValue) -> dict[str, Any]:
    value = one.value if isinstance(one.value, bool) else str(one.value)
    return one.model_dump(mode="json", exclude={"value"}) | {"value": value}


def _unit(unit: str) -> str:
    return "户" if unit == "household" else "人"


def _side(policy: Policy, side: str) -> str:
    kind, _, code = side.rpartition(":")
    known = policy.registers.get(code) if kind == "register" else policy.programmes.get(code)
    before = "以前的" if kind == "stopped" else ""
    return "任何项目" if side == "*" else before + known.name if known is not None else side


from jiuzhu_cli.cli import policy_simulate, policycheck  # noqa: E402 - their commands belong to ``app``

app.command("check", help=policycheck.CHECK)(policycheck.check)
app.command("diff", help=policycheck.DIFF)(policycheck.diff)
app.command("simulate", help=policy_simulate.SIMULATE)(policy_simulate.simulate)
