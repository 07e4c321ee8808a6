"""The blank workbook of a programme or register, and how a filled-in copy of it is known again.

Its columns come from the policy: what is required, what rules, posting and payment ask for, the programme's own words
(``signature``), a register's ``fields``. The mark it carries says programme, month and area where titles do not, and
what each of its columns means, wherever it has been moved to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.intake.clean import DISABILITY_KINDS, GRADES
from jiuzhu_cli.intake.headers import MONEY_FIELDS
from jiuzhu_cli.policy.glossary import header_index
from jiuzhu_cli.policy.model import GlossaryField, Programme, Register
from jiuzhu_cli.tabular.form import GUIDE, LISTS, Form, FormColumn, FormKind
from jiuzhu_cli.tabular.ours import AREA_MARK, MARK, MONTH_MARK

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

OWN_SHEETS = frozenset({GUIDE, LISTS})
_PER_CHOICES = 60
_ONCE = ("one_off", "instalments", "reimbursement")
_NAMED_HERE = frozenset(
    {"grade", "stage", "event_date", "cause", "self_care", "care_mode"}
)  # headed by the programme's own word

# The order in which columns stand on every form
_ORDER = (
    "serial_no town village head_name head_id_no name id_no relation sex category grade stage care_mode self_care work_ability claimed_status"
    " disability_no disability_kind disability_grade illness cause event_date household_size covered_persons income_fen income_period assets_fen"
    " base_fen addon_fen care_fen amount_fen payee_name account_no bank_name phone address case_code kin_filed start_month remark"
).split()
_HOUSEHOLD = "head_name head_id_no relation household_size covered_persons".split()
_PAID = "payee_name account_no bank_name".split()
_ALWAYS = "serial_no town village name id_no phone address start_month remark".split()
_RULE_WORDS = {  # words of rules → the columns from which they are known
    "残疾": ("disability_no", "disability_kind", "disability_grade"),
    "家庭人均月收入": ("household_size", "income_fen", "income_period"),
    "家庭月收入": ("household_size", "income_fen", "income_period"),
    "家庭人均金融资产": ("household_size", "assets_fen"),
    "家庭金融资产": ("assets_fen",),
    "劳动能力": ("work_ability",),
    "供养方式": ("care_mode",),
    "自理能力": ("self_care",),
    "等次": ("grade",),
    "档次": ("grade",),
    "重病": ("illness",),
    "患病病种": ("illness",),
    "救助原因": ("cause",),
    "事件日期": ("event_date",),
}
_POSTING = {
    "kin_filed": "kin_filed",
    "household_size": "household_size",
    "care_mode": "care_mode",
    "category": "category",
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "sex": ("男", "女"),
    "relation": ("本人", "配偶", "子", "女", "父亲", "母亲", "祖父", "祖母", "孙子", "孙女", "儿媳", "女婿", "兄弟", "姐妹", "其他"),
    "care_mode": ("集中", "分散"),
    "self_care": ("自理", "半自理", "全护理"),
    "work_ability": ("有劳动能力", "部分丧失劳动能力", "完全丧失劳动能力", "无劳动能力"),
    "disability_kind": tuple(dict.fromkeys(DISABILITY_KINDS.values())),
    "disability_grade": tuple(dict.fromkeys(GRADES.values())),
    "kin_filed": ("是", "否"),
    "income_period": ("月", "年"),
}  # fmt: skip
_FREE = frozenset({"relation", "bank_name", "work_ability", "village"})  # what the list lacks may still be typed
_WIDE = {
    "address": 26.0,
    "bank_name": 18.0,
    "village": 12.0,
    "town": 12.0,
    "remark": 16.0,
    "organisation": 22.0,
    "cause": 16.0,
    "illness": 16.0,
}
_KIND: dict[str, FormKind] = {
    "id": "id", "amount": "amount", "count": "count", "date": "date", "month": "month", "account": "account", "phone": "phone",
}  # fmt: skip
_HOW = {
    "serial_no": "从 1 开始的顺序号，可不填",
    "name": "与身份证一致；少数民族姓名中间用“·”",
    "id_no": "18 位，末位 X 大写；单元格已设为文本，不要改成数字。校验不对的会变红",
    "head_name": "这一户的户主；户主本人这一行也要填",
    "head_id_no": "这一户户主的身份证号，每个成员这一行都要填：同一户靠它连在一起",
    "relation": "与户主的关系；户主本人选“本人”",
    "town": "乡镇（街道）全称",
    "village": "村（社区）名称",
    "amount_fen": "本月实际发放的金额，单位元，最多两位小数",
    "base_fen": "其中：基本部分",
    "addon_fen": "其中：分类施保（加发）部分；没有不填",
    "care_fen": "其中：照料护理部分；没有不填",
    "household_size": "共同生活的家庭成员人数",
    "covered_persons": "享受的人数",
    "income_fen": "家庭总收入；按月还是按年，在“收入周期”里选",
    "income_period": "“家庭收入”是一个月的还是一年的",
    "assets_fen": "家庭的存款等金融资产合计",
    "payee_name": "收款账户的户名；不填就是本人（按户的为户主）",
    "account_no": "发放用的账号或卡号；单元格已设为文本",
    "bank_name": "开户银行；列表里没有的可以直接填",
    "case_code": "低保证号等",
    "disability_no": "残疾人证上的 20 位证号",
    "kin_filed": "是否与经办人员、村（居）委员有近亲属关系并已备案",
    "start_month": "开始享受的年月",
    "event_date": "日期，例如 2026-11-03",
    "remark": "变动情况等",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Template:
    """What a filled-in form says of itself: kind and code, month and area ('' when the form left them open)."""

    kind: str
    code: str
    month: str = ""
    area: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)  # header_key → field


@dataclass(frozen=True, slots=True)
class Choices:
    """What the bureau's own record offers for drop-downs."""

    towns: Sequence[str] = ()
    villages: Sequence[str] = ()
    banks: Sequence[str] = ()


def template_of(marks: Mapping[str, str], policy: Policy) -> Template | None:
    """The form that a workbook was made from; None when it is none, or of a programme that is no more."""
    kind, _, code = marks.get(MARK, "").partition(":")
    shape = (
        policy.programmes.get(code) if kind == "roll" else policy.registers.get(code) if kind == "register" else None
    )
    if shape is None:
        return None
    columns = {header_key(header): field for field, header in _columns(shape, policy.glossary)}
    month = marks.get(MONTH_MARK, "")
    return Template(kind, code, month if re.fullmatch(r"\d{4}-\d{2}", month) else "", marks.get(AREA_MARK, ""), columns)


def make_form(
    policy: Policy, shape: Programme | Register, *, month: str = "", area: str = "", choices: Choices | None = None
) -> Form:
    """The form of a programme or register for one month and area (either may be left open). UsageError for a wrong month."""
    choices, glossary = choices or Choices(), policy.glossary
    kind = "roll" if isinstance(shape, Programme) else "register"
    if month:
        check_month(month)
    town, _, village = area.partition("/")
    if area and not re.fullmatch(r"[\w（）()·]{2,40}(/[\w（）()·]{1,40})?", area):
        raise UsageError(f"乡镇“{area[:20]}”写得不对", "写成 乡镇 或 乡镇/村，例如 --area 城关镇/东风村")
    columns = [
        _form_column(shape, field, header, glossary.get(field), choices, _own_choices(shape, policy))
        for field, header in _columns(shape, glossary)
        if not (field == "town" and town) and not (field == "village" and village)
    ]
    name_at = next((i for i, column in enumerate(columns) if header_key(column.header) == "姓名"), 2)
    when = f"{month[:4]}年{int(month[5:])}月" if month else "　　年　　月" if kind == "roll" else ""
    title = f"{town}{village}{when}{shape.name}" + (
        "" if re.search(r"(名单|名册|花名册|登记册)$", shape.name) else "花名册"
    )
    marks = (
        {MARK: f"{kind}:{shape.code}"} | ({MONTH_MARK: month} if month else {}) | ({AREA_MARK: area} if area else {})
    )
    note = "红字带 * 的必填；金额单位：元；表头不要改，可以调换列的先后，也可以在右边加列；填法见“填表说明”。"
    return Form("花名册" if kind == "roll" else "名单", title, note, columns, _guidance(shape), name_at + 1, marks)


def _columns(shape: Programme | Register, glossary: Mapping[str, GlossaryField]) -> list[tuple[str, str]]:
    """(field, header) in order; ``field`` '' for a column of the programme's own that is kept as it is."""
    return _roll_columns(shape, glossary) if isinstance(shape, Programme) else _register_columns(shape, glossary)


def _roll_columns(shape: Programme, glossary: Mapping[str, GlossaryField]) -> list[tuple[str, str]]:
    wanted = {*_ALWAYS, *shape.required}
    if shape.unit == "household":
        wanted |= set(_HOUSEHOLD)
    if shape.payment.payable:
        wanted |= {"amount_fen", *_PAID}
    if shape.categories:
        wanted.add("category")
    wanted |= {_POSTING[column] for column in shape.posting.columns if column in _POSTING}
    for rule in shape.rules:
        wanted.update(*(columns for word, columns in _RULE_WORDS.items() if word in rule.expression))
    if any(line.per == "gap" for line in shape.tariffs):  # the sum is what the income falls short of
        wanted |= {"income_fen", "income_period"}
    told, own = _own_words(shape, glossary)
    wanted |= set(told)
    if shape.benefit in _ONCE:
        wanted.discard("start_month")
    if not shape.payment.payable and "amount_fen" not in shape.required:
        wanted -= {"amount_fen"}
    if shape.unit == "person":
        wanted -= {"covered_persons"}
    fields = [code for code in _ORDER if code in wanted and code in glossary]
    out = [(code, told[code] if code in _NAMED_HERE and code in told else _header(glossary[code])) for code in fields]
    at = next(
        (i for i, code in enumerate(fields) if code in ("base_fen", "addon_fen", "care_fen", "amount_fen", "phone")),
        len(out),
    )
    return out[:at] + [("", word) for word in own] + out[at:]


def _own_words(shape: Programme, glossary: Mapping[str, GlossaryField]) -> tuple[dict[str, str], list[str]]:
    """The programme's own words for fields of the record, and those for columns that are kept as they are."""
    index = header_index(glossary)
    names = {header_key(word) for word in (shape.name, *shape.aliases, *shape.categories)}
    told: dict[str, str] = {}
    own: list[str] = []
    for word in shape.signature:
        key = header_key(word)
        code = index.get(key, "")
        if code in _ORDER:
            told.setdefault(code, word)
            continue
        person = re.search(r"姓名|身份证|联系", word) is not None
        named = any(key in name or name in key for name in names)
        again = any(_inside(word, other) or _inside(other, word) for other in own)
        if not (code or person or named or again):
            own.append(word)
    return told, own


def _inside(word: str, other: str) -> bool:
    """Whether the characters of ``word`` stand in ``other`` in this order: 灾种 in 灾害种类."""
    rest = iter(other)
    return all(character in rest for character in word)


def _register_columns(shape: Register, glossary: Mapping[str, GlossaryField]) -> list[tuple[str, str]]:
    out = [("serial_no", "序号")]
    for code in dict.fromkeys(("name", "id_no", *shape.required, *shape.fields, "town", "village")):
        words = shape.fields.get(code)
        if words or code in glossary:
            out.append((code, words[0] if words else _header(glossary[code])))
    return out + [("", words[0]) for words in shape.kept.values() if words]


def _own_choices(shape: Programme | Register, policy: Policy) -> dict[str, tuple[str, ...]]:
    """The drop-downs that a register's own file states, by field."""
    if isinstance(shape, Programme):
        return {}
    lists = {
        "@income": policy.income.choices(),
        "@relations": (*policy.income.relations, "其他"),
        "@circumstances": tuple(policy.income.circumstances),
    }
    return {
        field: tuple(word for one in stated for word in lists.get(one, (one,)))
        for field, stated in shape.choices.items()
    }


def _header(entry: GlossaryField) -> str:
    return entry.name + ("（元）" if entry.code in MONEY_FIELDS else "")


def _form_column(
    shape: Programme | Register,
    field: str,
    header: str,
    entry: GlossaryField | None,
    choices: Choices,
    own: Mapping[str, tuple[str, ...]],
) -> FormColumn:
    household = isinstance(shape, Programme) and shape.unit == "household"
    kind: FormKind = _KIND.get(entry.type if entry else "", "text")
    how = _HOW.get(field, entry.note if entry and isinstance(shape, Programme) else "") if field else "有就填，原样保留"
    if isinstance(shape, Register):
        how = {"date": "日期，例如 2026-11-03", "amount": "单位元"}.get(kind, how if field in ("name", "id_no") else "")
        how = shape.hints.get(field, how)
    if household and entry is not None and entry.level == "case" and field not in ("head_name", "head_id_no"):
        how = f"只在户主这一行填。{how}"
    required = field in shape.required or (household and field in ("head_name", "head_id_no"))
    return FormColumn(
        header, kind, required, how, own.get(field) or _words(shape, field, choices), field not in _FREE, width=_WIDE.get(field, 0), sum=field == "amount_fen" and isinstance(shape, Programme)
    )  # fmt: skip


def _words(shape: Programme | Register, field: str, choices: Choices) -> tuple[str, ...]:
    own: Iterable[str] = {"town": choices.towns, "village": choices.villages, "bank_name": choices.banks}.get(field, ())
    if field == "category" and isinstance(shape, Programme):
        own = shape.categories
    if isinstance(shape, Register) and field not in ("town", "village"):
        if shape.code == "disability_certificate":
            return {"kind": _CHOICES["disability_kind"], "grade": _CHOICES["disability_grade"]}.get(field, ())
        return ()
    return tuple(own)[:_PER_CHOICES] or _CHOICES.get(field, ())


def _guidance(shape: Programme | Register) -> list[str]:
    out = [
        "1. 在第一张表里从表头下一行起填，一行一人；不要改表头文字，可以调换列的先后、在右边加自己要用的列。",
        "2. 身份证号、账号、证号的单元格是文本格式；从别处粘贴时用“选择性粘贴—数值/文本”，粘成数字的长号码后几位会丢失。",
        "3. 空行、合计行可以有；不要合并单元格，不要把几个人写在一格里。",
    ]
    if isinstance(shape, Programme):
        if shape.unit == "household":
            out.append("4. 一户几人就填几行，每行都填同一个户主身份证号；金额、账号等按户的内容只在户主这一行填一次。")
        else:
            out.append("4. 金额填本月实际发放的数；停发的人不要留在表里。")
        out.append("5. 下个月另用新模板，或改好标题里的年月；填好后直接导入，不用再指明项目和列。")
    else:
        out.append("4. 填好后直接导入，不用再指明名单和列。")
    return out
