"""The words of rules (规则用词): what each means and of which kind it is. Columns for them come from the stage that runs a rule.

Rules speak in 元, as the documents do: amounts, literals and parameters alike; the record's 分 are divided by 100 exactly
(``expression.fen``). Kinds: ``money`` (元), ``number``, ``text``, ``flag`` (true/false), ``date`` (text YYYY-MM-DD).
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["money", "number", "text", "flag", "date"]

# of a person, on the last day of the month
PERSON: dict[str, tuple[Kind, str]] = {
    "年龄": ("number", "当月最后一日的周岁，由身份证号算"),
    "性别": ("text", "男、女"),
    "持残疾证": ("flag", "当日有有效的残疾人证"),
    "残疾等级": ("number", "1、2、3、4"),
    "残疾类别": ("text", "视力、听力、言语、肢体、智力、精神、多重"),
    "重病": ("flag", "在重病名单上"),
    "在读": ("flag", "在学籍名单上"),
    "危房等级": ("text", "A、B、C、D"),
}
# of the roll row on one side of a relation; side b has 乙 before the word
ROW: dict[str, tuple[Kind, str]] = {
    "类别": ("text", "城市、农村、急难型等"),
    "供养方式": ("text", "集中、分散"),
    "自理能力": ("text", "自理、半自理、全护理"),
    "劳动能力": ("text", "台账所写"),
    "救助原因": ("text", "台账所写"),
    "对象类型": ("text", "台账自称的身份"),
    "金额": ("money", "此人分得的金额"),
    "档次": ("text", "台账所写"),
    "进度": ("text", "期次、学段、工程进度"),
}
# of a case under review
CASE: dict[str, tuple[Kind, str]] = {
    "家庭人口": ("number", "共同生活的家庭成员人数"),
    "保障人数": ("number", "享受的人数"),
    "家庭月收入": ("money", "家庭月收入合计；按年的除以 12，不先舍入"),
    "家庭人均月收入": ("money", "家庭月收入 / 家庭人口，不先舍入"),
    "家庭金融资产": ("money", "家庭金融资产合计"),
    "家庭人均金融资产": ("money", "家庭金融资产 / 家庭人口"),
    "当地低保标准": ("money", "按该户城乡类别取当月的低保标准"),
    "发放金额": ("money", "名册上的金额"),
    "在册低保": ("flag", "当月在低保名册上"),
    "在册低保边缘": ("flag", "当月在低保边缘名册上"),
    "在册特困": ("flag", "当月在特困名册上"),
    "等次": ("text", "台账所写"),
    "残疾证号": ("text", "台账所写"),
    "患病病种": ("text", "台账所写"),
    "近亲属备案": ("text", "台账所写"),
    "起始月份": ("date", "YYYY-MM"),
    "事件日期": ("date", "YYYY-MM-DD"),
}
RELATION_WORDS = PERSON | ROW | {f"乙{word}": meaning for word, meaning in (PERSON | ROW).items()}
RULE_WORDS = PERSON | ROW | CASE
KINDS: dict[str, Kind] = {word: kind for word, (kind, _) in (RELATION_WORDS | RULE_WORDS).items()}
