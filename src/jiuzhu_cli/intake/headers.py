"""What a header means (表头): glossary words, words of a register, and the grammar of 户主/申请人/收款人 + 姓名/身份证号.

Texts are compared by ``core.text.header_key``. One column alone is understood here; what several columns of one
table mean together is in ``columns.py``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jiuzhu_cli.core.text import compact, header_brackets, header_key
from jiuzhu_cli.policy.glossary import header_index

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

# What a register's own words leave out, read by the general word
_REGISTER_STAND_INS = {
    "approved_on": "valid_from",
    "disability_no": "certificate_no",
    "disability_kind": "kind",
    "disability_grade": "grade",
}
REGISTER_ONLY = frozenset(
    "valid_from valid_to status kind certificate_no related_name related_id_no organisation quantity".split()
)
REGISTER_FIELDS = REGISTER_ONLY | frozenset(
    "id_no name event_date grade relation amount_fen town village area_text serial_no sex birth_date month province city county".split()
)
MONEY_FIELDS = frozenset(
    "amount_fen base_fen addon_fen care_fen per_person_amount standard_amount back_pay income_fen income_month income_year"
    " income_per_person_month income_per_person_year assets_fen".split()
)
PART_FIELDS = ("base_fen", "addon_fen", "care_fen")

# Whose name, ID, account or telephone it is (policy-reference, appendix D)
_HEAD = r"(?:所属|家庭|低保|低保户|特困|保障家庭)?(?:户主|申请人|持证人|农户|代表人|户主或申请人|户主[（(/或、]申请人[)）]?)"
_PAYEE = r"(?:收款|领款|开户|账户|持卡|领取|代领|卡主|账号|户名|存折|一卡通|银行账?户?|收款账?户?|打卡)(?:人|户)?"
_OTHER = r"(?:监护|联系|经办|审批|审核|调查|代办|代理|受托|委托|授权|配偶|父亲|母亲|父|母|[赡扶抚]养|义务|入户|包保|责任|帮扶|网格|干部|村干部|亲属|近亲属|家属|子女|护理|照料|照护|服务|丧葬|担保|紧急|村医|评议|核查|受理|填表|登记|推荐|介绍|报告)(?:人|员|方|责任人|联系人|义务人|干部)?"
_PERSON = r"(?:本人|个人|家庭成员|成员|人员|老年?人|残疾人|对象|当事人|[一-鿿]{0,8}?(?:对象|人员|老人|儿童|学生|人|者|员|户|童|生|象|孤儿))"
_NAME = r"(?:的)?(?:真实|户籍)?(?:姓名|名字|名称|全称|名)"
_ID = r"(?:的)?(?:有效|居民|公民|二代)?(?:身份证件?|身份|证件|社会保障)(?:证)?(?:号码?|编号|证号码?)?"
_PHONE = r"(?:的)?(?:联系)?(?:电话|手机|方式|联系方式)(?:号码?)?"
_GRAMMAR = [
    (re.compile(rf"^{_OTHER}(?:{_NAME}|{_ID}|{_PHONE})$"), {"name": "", "id": "", "phone": ""}),
    (re.compile(rf"^{_HEAD}(?:{_NAME}|{_ID}|{_PHONE})$"), {"name": "head_name", "id": "head_id_no", "phone": "phone"}),
    (
        re.compile(rf"^{_PAYEE}(?:{_NAME}|{_ID}|{_PHONE})$"),
        {"name": "payee_name", "id": "payee_id_no", "phone": "phone"},
    ),
    (re.compile(rf"^{_PERSON}(?:{_NAME}|{_ID}|{_PHONE})$"), {"name": "name", "id": "id_no", "phone": "phone"}),
    (re.compile(rf"^{_ID}$"), {"id": "id_no"}),
]
_OWNER_ALONE = [
    (re.compile(rf"^{_OTHER}(?:信息|情况)?$"), "other"),
    (re.compile(rf"^{_HEAD}(?:信息|情况|基本信息|基本情况)?$"), "head"),
    (re.compile(rf"^{_PAYEE}(?:信息|情况|账户)?$"), "payee"),
]
_RECIPIENT = re.compile(
    r"^(享受|备案对象)"
)  # on a roll the one who receives; on the register of kin somebody's relative
_BARE_PERSON = re.compile(r"^(家庭|户内)?成员$|^(老年?人|残疾人|儿童|学生|孤儿|供养人员|救助人员)$")
_DOCUMENT = re.compile(
    r"残疾|低保证|特困证|证书|学籍|房产|权证|驾驶|行驶|医保|老年证|优待证|批次|凭证|回执|保单|合同|发票|门牌|户口[簿本]"
)
_ACCOUNT = re.compile(
    r"(银行|一卡通|社保卡|存折|惠农|惠民|收款|发放|代发|领款|开户)?.{0,6}(账号|账户号码?|卡号|卡账号|折号)$"
)
_BANK = re.compile(r"(开户|发卡|代发|发放|收款).{0,4}(银行|行|网点|行名|机构)(名称)?$|^银行(名称)?$")
_TOWN = re.compile(
    r"^(所属|所在|户籍|居住|现居|户籍所在|乡级)?(乡镇?|镇乡?|街道?|镇街道?|乡镇街道?|街镇|乡镇办|办事处|街办|街道办)(或街道|/街道|、街道)?(名称|名|级)?$"
)
_VILLAGE = re.compile(
    r"^(所属|所在|户籍|居住|现居|户籍所在)?(行政|自然)?(村|居|社区?|村居|村社区?|居委会?|村委会?|组|屯|小组|村民小组|村组|村屯)(/社区|或社区|、社区)?(名称|名|级)?$"
)
_GENERIC = frozenset("合计 小计 总计 共计 金额 数额 总额 人数 数量 数 元 情况 名称 标准 计".split())
_PART_WORDS = (
    ("care_fen", re.compile(r"照料护理|护理费|照护|护理金|照料费|^护理$|护理费用")),
    ("addon_fen", re.compile(r"分类施保|分类救助|分类保障|增发|加发|施保金|重点保障|提高部分")),
    ("base_fen", re.compile(r"基本|基础|补差|差额")),
)
_IN_WORDS = re.compile(
    r"^大写$|(?:金额|人民币|合计|[实应]发|发放|补[助贴]|资金|元)[(（:：|]*(?:人民币)?大写|大写(?:人民币)?金额"
)
_NOT_PAID = re.compile(
    r"大写|累计|上月|上年|全年|年度|调整前|变动前|原(发放|保障|补助|补贴|金额)|以前|扣[发减款]|追[缴回]|退[回款]|结余|预算|应扣|差异|增减|新增|减少|调标前|往年|去年|年发放|年合计|报销|总费用$|自付|自费|花费|支出$|医疗费|收入|财产|资产|存款|租金|面积"
)
_MONEY = re.compile(
    r"金额|资金|补助|补贴|津贴|救助金|保障金|低保金|供养金|生活费|发放[数额]?$|实发|应发|合计$|总计$|总额$|救助款|补助款|慰问[金款]|元$"
)
_INCOME = re.compile(
    r"(?:上一?年度?|年度|全年|(?:申请|认定|核定)?(?:之?[前近])?(?:12|十二)个?月(?:的|内)?|[年月]|家庭|全家|户均?|总|人均|每人|平均|成员|共同生活|可支配|纯|核定|核算|核对|认定|实际|申报|的)*"
    r"收入(?:合计|总额|总计|金额|数额|额|总数)?"
)
_BAND = re.compile(r"(信息|情况|资料|数据|成员|人员|对象|家庭)$")
_UNIT = re.compile(r"(亿元|万元|千元|百元|元)(?![一-鿿]{2})|^(角|分)(?:$|/)")
_PERIOD = re.compile(r"元?[/每·]\s*(?:[人户][/每]?)?(年|季|半年)|^(?:按|每)?(年|季|半年)度?$|^(?:全|一)(年|季)")
_TAIL_UNIT = re.compile(r"(亿元|万元|千元|百元|元)(?:[/每][一-鿿]{1,2}){0,2}$")


_REMEMBERED = 5000  # headers and cells whose meaning is kept: they come back from file to file


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one header says: ``field`` ('' for none), why (Chinese), the owner it names ('head', 'payee', 'other', '')."""

    field: str
    why: str
    owner: str = ""


class Lexicon:
    """Header words of the policy: of the glossary and of each register."""

    def __init__(self, policy: Policy) -> None:
        self.index = header_index(policy.glossary)
        self.types = {code: field.type for code, field in policy.glossary.items()}
        self.names = {code: field.name for code, field in policy.glossary.items()}
        self.registers = {
            code: {header_key(word): field for field, words in register.fields.items() for word in words}
            for code, register in policy.registers.items()
        }
        self.statuses = sorted(
            ((compact(word), tuple(claim.programmes)) for claim in policy.claims for word in claim.words),
            key=lambda pair: (-len(pair[0]), pair[0]),
        )
        self._stated: dict[str, tuple[str, ...]] = {}
        self._meant: dict[tuple[tuple[str, ...], str, str], Meaning] = {}
        self._register_words = frozenset(word for words in self.registers.values() for word in words)

    def known(self, key: str) -> bool:
        return key in self.index or key in self._register_words

    def status(self, text: str) -> tuple[str, ...]:
        """The programmes that the longest status word in ``text`` (低保户, 边缘户) is proved by; () when it states none."""
        if text not in self._stated:
            if len(self._stated) > _REMEMBERED:
                self._stated.clear()
            flat = compact(text)
            self._stated[text] = next((programmes for word, programmes in self.statuses if word in flat), ())
        return self._stated[text]

    def field_code(self, text: str) -> str | None:
        """A field named by code or by Chinese name or synonym; '' for 忽略; None when unknown."""
        if text in self.types:
            return text
        if text in ("", "忽略", "不用", "ignore"):
            return ""
        return self.index.get(header_key(text))

    def meaning(self, parts: list[str], *, register: str = "", kind: str = "roll") -> Meaning:
        """What the header ``parts`` (top to bottom) says. In a multi-row header the parent decides what the child leaves open."""
        key = tuple(parts), register, kind
        if key not in self._meant:
            if len(self._meant) > _REMEMBERED:
                self._meant.clear()
            self._meant[key] = self._read(parts, register, kind)
        return self._meant[key]

    def _own(self, register: str) -> Collection[str]:
        return self.registers.get(register, {}).values()

    def _read(self, parts: list[str], register: str, kind: str) -> Meaning:
        owner = next(filter(None, (owner_of(header_key(part)) for part in parts[:-1])), "")
        if kind == "roll" and _IN_WORDS.search(compact("".join(parts))):
            return Meaning("amount_words", "表头写明是大写金额")
        if kind == "roll" and (income := income_field(parts)):
            return Meaning(income, "表头写明是家庭收入的哪一种")
        for key in _candidates(parts):
            found = self._word(key, register)
            if found is not None:
                field, why = found
                child = header_key(parts[-1])
                if owner and key == child and len(parts) > 1:
                    field, why = _owned(field, owner, why)
                if field.startswith("related_") and _RECIPIENT.match(key):
                    owner = "person"
                return _allowed(Meaning(field, why, owner), kind, self._own(register))
        grown = self._composed(parts) or self._either(parts[-1], register)
        return _allowed(grown or Meaning("", "表头不在词汇表里，原样保留", owner), kind, self._own(register))

    def _either(self, text: str, register: str) -> Meaning | None:
        """Two words for one thing in one header: 银行账号/社保卡号, 乡镇或街道."""
        words = [word for word in re.split(r"[/／或、及和]", header_key(text)) if word]
        if len(words) < 2:
            return None
        found = {self._word(word, register) for word in words}
        fields = {one[0] for one in found if one is not None}
        return Meaning(fields.pop(), "表头同义词") if None not in found and len(fields) == 1 else None

    def _word(self, key: str, register: str) -> tuple[str, str] | None:
        if register and key in self.registers.get(register, {}):
            return self.registers[register][key], "名单自己的表头"
        if key in self.index:
            return self.index[key], "表头同义词"
        return None

    def _composed(self, parts: list[str]) -> Meaning | None:
        """The grammar of owners and nouns, then of money, for headers that no list holds."""
        joined, child = header_key("".join(parts)), header_key(parts[-1])
        for key in dict.fromkeys((joined, child)):
            if _DOCUMENT.search(key):
                continue
            for pattern, fields in _GRAMMAR:
                if pattern.match(key):
                    noun = (
                        "phone"
                        if re.search(r"电话|手机|联系方式$", key)
                        else "id"
                        if re.search(_ID + "$", key) and not re.search(r"(姓名|名称|全称)$", key)
                        else "name"
                    )
                    return Meaning(
                        fields.get(noun, ""), "按称谓和名目组合认出", "other" if not fields.get(noun) else ""
                    )
            if _BARE_PERSON.match(key):
                return Meaning("name", "表头是人员称谓")
            if _ACCOUNT.search(key) and not re.search(r"前|旧|原|付款", key):
                return Meaning("account_no", "表头以账号、卡号结尾")
            for field, pattern in (("town", _TOWN), ("village", _VILLAGE)):
                if pattern.match(key):
                    return Meaning(field, "表头是乡镇" if field == "town" else "表头是村（社区）")
            if _BANK.search(key):
                return Meaning("bank_name", "表头是开户银行")
        if len(parts) > 1:
            above = header_key(parts[-2])
            parent = self.index.get(above, "")
            if child in _GENERIC and parent:
                return Meaning(parent, "由上一级表头决定")
            if parent == "amount_fen" or _MONEY.search(above):
                for field, pattern in _PART_WORDS:
                    if pattern.search(child):
                        return Meaning(field, "上一级表头是金额，本级是分项")
                if child in _GENERIC:
                    return Meaning("amount_fen", "上一级表头是金额")
        return None


def _candidates(parts: list[str]) -> list[str]:
    """Keys to look up, the most specific first: all parts, the last two, the child; a parent only over generic children."""
    child = header_key(parts[-1])
    keys = [header_key("".join(parts))]
    if len(parts) > 1:  # 残疾情况|等级 is 残疾等级
        keys.append(re.sub(r"(基本)?(信息|情况|状况)$", "", header_key(parts[-2])) + child)
    if len(parts) > 2:
        keys.append(header_key("".join(parts[-2:])))
    if child not in _GENERIC:
        keys.append(child)
    elif len(parts) > 1:
        keys += [header_key(part) for part in reversed(parts[:-1])]
        keys.append(child)
    keys += [key[1 + key[1].isdigit() :] for key in keys if len(key) > 2 and key[0].isdigit()]  # 3姓名
    keys += [key[: tail.start()] for key in keys if (tail := _TAIL_UNIT.search(key)) and tail.start()]  # 保障金额元/月
    return list(dict.fromkeys(key for key in keys if key))


def owner_of(key: str) -> str:
    """Whom a parent header or a neighbouring column names: 'head', 'payee', 'other' or ''."""
    return next((owner for pattern, owner in _OWNER_ALONE if pattern.match(key)), "")


def _owned(field: str, owner: str, why: str) -> tuple[str, str]:
    moved = {
        "head": {"name": "head_name", "id_no": "head_id_no"},
        "payee": {"name": "payee_name", "id_no": "payee_id_no", "head_name": "payee_name"},
        "other": {"name": "", "id_no": "", "phone": "", "relation": ""},
    }[owner]
    if field not in moved:
        return field, why
    return moved[field], "由上一级表头决定"


def _allowed(meaning: Meaning, kind: str, own: Collection[str] = ()) -> Meaning:
    """Fields that the kind of table does not store are kept as extra columns; a register also stores those it names itself (``own``)."""
    if kind == "register":
        if meaning.field in _REGISTER_STAND_INS:
            return Meaning(_REGISTER_STAND_INS[meaning.field], meaning.why, meaning.owner)
        if meaning.field and meaning.field not in REGISTER_FIELDS and meaning.field not in own:
            return Meaning("", "比对名单不用这一列，原样保留", meaning.owner)
    elif meaning.field.startswith("related_") and meaning.owner == "person":
        return Meaning("name" if meaning.field == "related_name" else "id_no", "享受救助的人", "")
    elif meaning.field in REGISTER_ONLY:
        owner = "other" if meaning.field.startswith("related") else meaning.owner
        return Meaning("", "台账不用这一列，原样保留", owner)
    return meaning


def unit_of(parts: list[str]) -> str:
    """The money unit that a header states: （万元）, （元/月）, 金额:元; '' when it states none."""
    for part in reversed(parts):
        for remark in header_brackets(part):
            if found := _UNIT.search(remark.replace("单位", "").lstrip(":：")):
                return found.group(1) or found.group(2)
    tail = _TAIL_UNIT.search(header_key(parts[-1]))
    return tail.group(1) if tail else ""


def other_period(parts: list[str]) -> str:
    """年, 季 or 半年 where a header says that its figures are not a month's: 保障金额（元/年）; else ''."""
    for part in reversed(parts):
        for text in (*header_brackets(part), header_key(part)):
            if found := _PERIOD.search(text):
                return next(filter(None, found.groups()))
    return ""


def unit_of_lines(lines: list[str]) -> str:
    """The money unit that the lines above a table state (单位：万元); '' when none does."""
    for line in lines:
        found = re.search(r"(?:金额)?单位\s*[:：]?\s*[^:：]{0,8}?(亿元|万元|千元|百元|元)(?![一-鿿])", line)
        if found:
            return found.group(1)
    return ""


def income_field(parts: list[str]) -> str:
    """The income field that a header says with its period and whether it is a person's share (上年度家庭人均纯收入), or ''.

    Only words that leave it the household's whole income: 务工收入, 个人收入, 收入来源 are none. Where neither month nor year
    is said it is left to the glossary.
    """
    key = header_key(parts[-1])
    said = key + "".join(header_brackets(parts[-1]))
    if not _INCOME.fullmatch(key):
        return ""
    year = bool(re.search("年|12个?月|十二个月", said))
    month = "月" in re.sub("1?[12十]+二?个?月", "", said)
    if year == month:
        return ""
    each = re.search("人均|每人|平均|/人", said)
    return ("income_per_person_" if each else "income_") + ("year" if year else "month")


def level_of(parts: list[str]) -> Literal["", "household", "person"]:
    """'household' or 'person' when the header itself says whose figure it is, else ''.

    The lowest part that says so counts; a band over several columns (人员信息, 家庭基本情况) says nothing of the figures.
    """
    for part in reversed(parts):
        key = header_key(part)
        if part is not parts[-1] and _BAND.search(key):
            continue
        text = key + "".join(header_brackets(part))
        if re.search(r"人均|每人|个人|本人|人月|人员|/人", text):
            return "person"
        if re.search(r"户月|户均|每户|^户|家庭|全家|户保障|户补|/户", text):
            return "household"
    return ""


def not_paid(key: str) -> bool:
    """Money words that are never what is paid this month: 累计, 上月, 调整前, 收入, 医疗费 …"""
    return bool(_NOT_PAID.search(key))


def money_word(key: str) -> bool:
    return bool(_MONEY.search(key)) and not not_paid(key)
