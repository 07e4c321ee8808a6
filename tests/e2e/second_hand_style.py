"""One clerk's manner of writing: headers, titles, months, IDs, amounts, names, signatures."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# Headers by what a column means; for most rolls only, the first of the tuple's meaning is in ``Roll.amount_headers``
HEADERS: dict[str, list[str]] = {
    "no": ["序号", "编号", "序 号", "NO."],
    "town": ["乡镇（街道）", "乡镇", "镇街", "所属乡镇", "乡（镇、街道）"],
    "village": ["村（社区）", "行政村", "村居", "村委会", "所在村（居）", "村\n（社区）"],
    "name": ["姓名", "姓 名", "对象姓名", "享受人姓名", "保障对象姓名"],
    "id_no": ["身份证号", "身份证号码", "公民身份号码", "居民身份证号", "身份证\n号码", "有效身份证件号码"],
    "head_name": ["户主姓名", "户主", "户 主 姓 名"],
    "head_id": ["户主身份证号", "户主身份证号码", "户主公民身份号码"],
    "member_name": ["家庭成员姓名", "成员姓名", "共同生活家庭成员姓名"],
    "member_id": ["家庭成员身份证号", "成员身份证号码", "家庭成员公民身份号码"],
    "relation": ["与户主关系", "家庭关系", "与户主\n关系", "与申请人关系"],
    "size": ["保障人数", "享受人数", "在保人数", "保障人口（人）"],
    "income_month": ["家庭月收入", "家庭月总收入（元）", "家庭月收入（元）"],
    "income_year": ["家庭年收入", "家庭年总收入（元）", "家庭年收入（元）"],
    "category": ["城乡类别", "低保类别", "保障类别", "城市/农村"],
    "bank": ["开户行", "开户银行", "代发银行", "发放银行"],
    "account": ["银行账号", "银行卡号", "一卡通账号", "社保卡（一卡通）号", "收款账号", "银行帐号", "存折账号"],
    "payee": ["开户名", "账户姓名", "户名", "领款人"],
    "phone": ["联系电话", "手机号码", "联系方式", "电话"],
    "remark": ["备注", "备 注", "说明"],
    "care_mode": ["供养方式", "供养形式", "供养类型"],
    "self_care": ["生活自理能力", "自理能力", "自理能力评估等级"],
    "base": ["基本生活费", "基本生活费（元）", "基本生活供养金"],
    "care": ["照料护理费", "照料护理费（元）", "护理费"],
    "grade": ["残疾等级", "残疾级别", "残疾程度"],
    "status": ["对象类型", "人员类别", "身份类别", "困难类型"],
    "house": ["危房等级", "房屋危险等级", "鉴定等级"],
    "mode": ["改造方式", "改造类型"],
    "cause": ["救助原因", "申请救助事由", "致困原因"],
    "kind": ["救助类型", "临时救助类型"],
    "granted": ["审批日期", "发放日期", "救助时间"],
}
MONTH_STYLES = [
    "{y}年{m}月",
    "{y}年{m:02d}月份",
    "{y}年{m}月份",
    "（{y}.{m:02d}）",
    "{y}-{m:02d}",
    "{hanzi}年{hm}月",
    "{y}{m:02d}",
]
TITLES = [
    "{district}{town}{month}{programme}发放花名册",
    "{town}{programme}{month}发放表",
    "{month}{town}{programme}对象名单",
    "{town}{month}{programme}资金发放明细表",
    "{town}人民政府关于{month}{programme}发放的花名册",
    "《{town}{programme}对象花名册》（{month}）",
]
PREAMBLES = [
    [],
    ["填报单位（盖章）：{town}社会事务办"],
    ["单位：{town}", "", "填表时间：{y}年{m}月20日", "", "单位：元"],
    ["制表单位：{town}民政所", "", "", "金额单位：元"],
]
SIGNATURES = [
    [],
    ["单位负责人：", "", "审核人：", "", "制表人：李某某", "联系电话："],
    ["主管领导（签字）：", "", "民政所长：", "", "经办人："],
    ["制表：王某", "", "复核：赵某", "", "{y}年{m}月20日"],
]
NOTES = [
    [],
    ["备注：本表一式三份，乡镇、民政局、代发银行各存一份。"],
    ["注：1.身份证号须与户口簿一致；2.账号为本人一卡通账号。"],
]
SUBTOTALS, TOTALS = ["小计", "村小计", "小 计"], ["合计", "总计", "合 计", "合  计", "总 计"]
HANZI = str.maketrans("0123456789", "〇一二三四五六七八九")
CAPITALS = "零壹贰叁肆伍陆柒捌玖"
WIDE_DIGITS = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
LONG_SHAPES = ["merged", "blank", "repeated", "villages", "stacked"]
HOUSEHOLD_SHAPES = [*LONG_SHAPES, "wide", "slots", "pair", "merged", "blank"]


@dataclass(frozen=True)
class Person:
    name: str
    id_no: str
    account: str
    bank: str
    phone: str
    shown_id: str = ""  # as this person's papers show it (15 digits, a lower-case x), when not as ``id_no``


@dataclass
class Style:
    """One clerk's manner, drawn once a file."""

    rng: random.Random

    def __post_init__(self) -> None:
        pick = self.rng.choice
        self.month, self.title = pick(MONTH_STYLES), pick(TITLES)
        self.preamble, self.signature, self.notes = pick(PREAMBLES), pick(SIGNATURES), pick(NOTES)
        self.id_style = pick(["plain", "plain", "plain", "tab", "spaced", "apostrophe", "wide", "lower", "prefix"])
        self.amount_style = pick(["int", "float", "comma", "text", "yuan", "sign"])
        self.name_style = pick(["plain", "plain", "spaced", "trailing"])
        self.total = pick(["row", "row", "words", "none"])
        self.subtotals = pick([True, False])
        self.repeat_every = pick([0, 0, 9, 15])
        self.numbers_row = pick([False, False, True])
        self.bands = pick([False, False, True])
        self.shift = pick([0, 0, 1])  # empty columns in front
        self.hidden_sheet = self.rng.random() < 0.2
        self.hidden_phone = self.rng.random() < 0.2
        self.untitled = self.rng.random() < 0.15

    def month_text(self, month: str) -> str:
        year, number = month.split("-")
        tens = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
        return self.month.format(y=year, m=int(number), hanzi=year.translate(HANZI), hm=tens[int(number)])

    def id_text(self, person: Person) -> str:
        text = person.shown_id or person.id_no
        match self.id_style:
            case "tab":
                return text + "\t"
            case "spaced":
                return f"{text[:6]} {text[6:14]} {text[14:]}" if len(text) == 18 else text
            case "apostrophe":
                return "'" + text
            case "wide":
                return text.translate(WIDE_DIGITS)
            case "lower":
                return text.lower()
            case "prefix":
                return "身份证：" + text
            case _:
                return text

    def amount(self, fen: int) -> Any:
        yuan = Decimal(fen) / 100
        match self.amount_style:
            case "int" if fen % 100 == 0:
                return fen // 100
            case "comma":
                return f"{yuan:,.2f}"
            case "text":
                return f"{yuan:.2f}"
            case "yuan":
                return f"{yuan.normalize():f}元"
            case "sign":
                return f"￥{yuan:.2f}"
            case _:
                return float(yuan)

    def name_text(self, name: str) -> str:
        if self.name_style == "spaced" and len(name) == 2:
            return f"{name[0]}　{name[1]}"
        return name + " " if self.name_style == "trailing" else name


def capitals(yuan: int) -> str:
    """Whole yuan below a hundred million in the capitals of cheques: 1500 → 壹仟伍佰元整."""
    high, low = divmod(yuan, 10000)
    text = _group(high) + "万" if high else ""
    if low:
        text += ("零" if high and low < 1000 else "") + _group(low)
    return text + "元整"


def _group(number: int) -> str:
    text, gap = "", False
    for place, digit in enumerate(reversed(str(number))):
        if digit == "0":
            gap = bool(text)
            continue
        text = CAPITALS[int(digit)] + ["", "拾", "佰", "仟"][place] + ("零" if gap else "") + text
        gap = False
    return text
