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
# what registers and other rolls say of the person of side a; only for checks and for relations of what is due
CIRCUMSTANCE: dict[str, tuple[Kind, str]] = {
    "月初年龄": ("number", "上月最后一日的周岁：当月才满的还不算"),
    "名册残疾等级": ("number", "台账自己写的残疾等级，1—4"),
    "证号残疾等级": ("number", "台账所写残疾证号末位的等级"),
    "名册残疾类别": ("text", "台账自己写的残疾类别"),
    "残疾证失效月数": ("number", "名下残疾证都已注销、过期的，失效当月到本月的月数；日期不明的作 99"),
    "残疾证失效日期": ("date", ""),
    "换证间隔月数": ("number", "本月到下一本证发证的月数"),
    "户籍变动": ("text", "迁出、注销、出国定居、未注明；已去世的、仍有正常户籍的为空"),
    "户籍变动月数": ("number", "变动当月到本月的月数；日期不明的作 99"),
    "户籍变动日期": ("date", ""),
    "学籍名单已导入": ("flag", ""),
    "学籍结束月数": ("number", "毕业、退学当月到本月的月数，没有别的学籍；没有列入过学籍名单的为空"),
    "学籍结束日期": ("date", ""),
    "同户他人": ("number", "当月任何名册上与此人同在一户的其他人数"),
    "干部近亲属": ("flag", "本户有人列在经办人员和村（居）干部近亲属名单上"),
    "近亲属是否备案": ("text", "是、否：名册所写；名册没有写的看名单的备案日期和状态"),
    "干部姓名": ("text", ""),
    "与干部关系": ("text", ""),
    "亲属姓名": ("text", "本户列在名单上的人"),
    "有救助": ("flag", "当月在任何救助名册上"),
    "监测对象": ("flag", "在防返贫监测名单上"),
    "名单金额": ("money", "甲方是名单的：名单所写的金额（如自付费用）"),
    "一年内临时救助": ("flag", "本人或当月同户的人一年内在临时救助名册上"),
    "父母缺失": ("flag", "同户口簿里父母一辈的人都已去世、服刑、强制戒毒或失踪"),
    "确诊月数": ("number", "重病名单上最近一次确诊当月到本月的月数"),
    "分类施保金": ("money", "全户分类施保金；名册没有这一列的为空"),
    "照料护理金": ("money", "照料护理金；名册没有这一列的为空"),
}
# of a case under review
CASE: dict[str, tuple[Kind, str]] = {
    "家庭人口": ("number", "共同生活的家庭成员人数"),
    "保障人数": ("number", "享受的人数"),
    "家庭月收入": ("money", "家庭月收入合计；按年的除以 12，不先舍入"),
    "家庭人均月收入": ("money", "家庭月收入 / 家庭人口，不先舍入"),
    "家庭金融资产": ("money", "家庭金融资产合计"),
    "家庭人均金融资产": ("money", "家庭金融资产 / 家庭人口"),
    "家庭有重病重残": ("flag", "名册列在这一户的人有一、二级残疾人或重病名单上的；查不到的算没有"),
    "宗教教职年数": ("number", "家庭成员情况写明是宗教教职人员的，从起始日期到当月的足年数；没有写的为空"),
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
# of a person of a case in the month of review, beside PERSON; for events
MONTHLY: dict[str, tuple[Kind, str]] = {
    "月龄": ("number", "出生当月到本月的月数：满 18 周岁的当月是 216"),
    "本月满": ("number", "本月生日的，所满的周岁；其他月份是 0"),
    "死亡": ("flag", "在死亡、火化名单上，姓名相符"),
    "去世月数": ("number", "去世当月到本月的月数"),
    "户籍变动": CIRCUMSTANCE["户籍变动"],
    "户籍变动月数": CIRCUMSTANCE["户籍变动月数"],
    "残疾证失效月数": CIRCUMSTANCE["残疾证失效月数"],
    "换证间隔月数": CIRCUMSTANCE["换证间隔月数"],
    "残疾证剩余月数": ("number", "本月到有效的残疾证到期当月的月数；没有写有效期的为空"),
    "学段": ("text", "在校的：学前、小学、初中、高中、中职、大专、本科、研究生；看不出的为空"),
    "毕业剩余月数": ("number", "本月到学籍名单所写毕业当月的月数"),
    "学籍结束月数": CIRCUMSTANCE["学籍结束月数"],
}
# of a person of a case, and of the case: this month's roll beside last month's; grace
STANDING: dict[str, tuple[Kind, str]] = {
    "户主": ("flag", "这一行是户主（按人发放的项目是本人）"),
    "与户主关系": ("text", "台账所写"),
    "享受月数": ("number", "台账所写起始月份到本月的月数"),
    "上月已导入": ("flag", "上月此项目在该乡镇的名册导入了"),
    "上月在册": ("flag", "本人上月在此项目的名册上"),
    "上月本户在册": ("flag", "户主（或本人）上月在此项目的名册上"),
    "上月列出成员": ("flag", "上月此户的成员都列出了：那份名册列家庭成员，或者此户只有一人"),
    "上月发放金额": ("money", "上月名册上的金额，同一户"),
    "认证间隔月数": ("number", "最近一次生存认证（没有的，起始月份）到本月的月数"),
    "认证开展月数": ("number", "该乡镇第一条生存认证记录到本月的月数；没有记录的为空"),
    "渐退中": ("flag", "已决定渐退，本月在渐退期内"),
    "渐退期满": ("flag", "已决定渐退，期限已过"),
    "渐退剩余月数": ("number", "本月之后还有几个月；最后一个月是 0"),
}
# of one line of a register
LINE: dict[str, tuple[Kind, str]] = {
    "名单有效": ("flag", "当月最后一日在起止日期之内，状态没有注销、终止等"),
    "名单种类": ("text", "没有写的作空文字"),
    "名单状态": ("text", "没有写的作空文字"),
    "名单等级": ("text", "没有写的作空文字"),
    "名单单位": ("text", "单位、坐落、银行、品牌等；没有写的作空文字"),
    "名单关系": ("text", "没有写的作空文字"),
    "名单最新": ("flag", "同一人、同一名单、同一单位里查询日期最近的（余额不重复计）"),
    "名单最后": ("flag", "同一人在这份名单上日期最近的一行"),
    "相关人在本户": ("flag", "名单上另一方（配偶、户主等）在本户；没有写身份证号的为空"),
    "名单姓名相符": ("flag", "名单姓名与台账相同"),
    "名单金额": ("money", "余额、价值、收入等，名单所写"),
    "名单起始日期": ("date", ""),
    "名单截止日期": ("date", ""),
    "名单发生日期": ("date", ""),
    "起始月数": ("number", "起始当月到本月的月数"),
    "截止月数": ("number", "截止当月到本月的月数；还没有到的是负数"),
    "发生月数": ("number", "发生当月到本月的月数"),
}
# sums of the lines that count
SUMS: dict[str, tuple[Kind, str]] = {
    "本人笔数": ("number", "此人在这些名单上计数的行数"),
    "本人合计": ("money", "此人计数的行的金额之和"),
    "全户笔数": ("number", "全户计数的行数"),
    "全户合计": ("money", "全户计数的行的金额之和"),
    "全户人均合计": ("money", "全户合计 / 家庭人口"),
}
# of a case or a member that last month's roll had and this month's has not
GONE: dict[str, tuple[Kind, str]] = {
    "死亡": MONTHLY["死亡"],
    "整户": ("flag", "全户都不在册了；否则只少了此人"),
    "户主": ("flag", "上月名册上的户主（或本人）"),
    "户主死亡": ("flag", "上月名册上的户主在死亡、火化名单上"),
    "上月发放金额": STANDING["上月发放金额"],
    "已有决定": ("flag", "已有停发、停旧建新的决定"),
    "停旧建新": ("flag", "已决定停旧建新、转项目"),
}
# of a member of a household whose income is measured
MEMBER: dict[str, tuple[Kind, str]] = {
    "年龄": PERSON["年龄"],
    "性别": PERSON["性别"],
    "残疾等级": PERSON["残疾等级"],
    "残疾类别": PERSON["残疾类别"],
    "重病": PERSON["重病"],
    "在读": ("flag", "在学籍名单上，或家庭成员情况写明在校"),
    "劳动能力": ("text", "有、部分、无"),
    "关系": ("text", "与户主关系：本人、配偶、子女、父母……（income.toml 的 relations）"),
    "情况": ("text", "家庭成员情况所写：服刑、在校（本科及以下）……（income.toml 的 circumstances）"),
    "情况年数": ("number", "这种情况从起始日期到当月的足年数"),
    "共同生活": ("flag", "家庭成员情况写明是否长期共同居住；没有写的为空"),
    "在名册": ("flag", "花名册列在这一户"),
    "在明细": ("flag", "这一户的收入核算明细里有此人"),
    "名册列成员": ("flag", "花名册逐个列出家庭成员（不是只有户主）"),
    "服刑": ("flag", "服刑人员名单当月有，或家庭成员情况写明"),
    "强制戒毒": ("flag", "强制隔离戒毒人员名单当月有，或家庭成员情况写明"),
    "宣告失踪": ("flag", "宣告失踪人员名单当月有，或家庭成员情况写明"),
    "死亡": ("flag", "死亡、火化名单上有同名同号的，或家庭成员情况写明"),
}
# of one line of a household's income
ITEM: dict[str, tuple[Kind, str]] = {
    "金额": ("money", "这一行的年金额：按月的乘 12（或月数）"),
    "数量": ("number", "这一行的数量：亩、头、月"),
    "系数": ("number", "bands 里第一个成立的一档的系数"),
    "当地低保标准": ("money", "按该户城乡类别取当月的低保标准"),
}
OF_PERSON = PERSON | MONTHLY
OF_CASES = PERSON | ROW | CASE | MONTHLY | STANDING
EVENT_WORDS = OF_CASES | LINE | SUMS | GONE
RELATION_WORDS = PERSON | ROW | {f"乙{word}": meaning for word, meaning in (PERSON | ROW).items()}
CHECK_WORDS = PERSON | ROW | CIRCUMSTANCE
RULE_WORDS = PERSON | ROW | CASE
# only in tariff tables (``Programme.tariffs``)
TARIFF: dict[str, tuple[Kind, str]] = {
    "计算方式": ("text", "差额、分档：按参数，或按名册有没有收入列、档次列"),
    "档别": ("text", "台账所写等次去掉“第、类、档、级”：A、B、一 …"),
    "月初年龄": ("number", "上月最后一日的周岁"),
    "户主": ("flag", '户主本人（只用于 per = "member"）'),
    "学段": ("text", "按名册的类别、学段、年级：学前、小学、初中、高中、中职、大学；看不出的为空"),
    "寄宿": ("flag", "名册写寄宿、住校，或非寄宿、走读；没有写的为空"),
    "按学期": ("flag", "名册写学期、春季、秋季，或学年、全年；没有写的为空"),
}
TARIFF_WORDS = RULE_WORDS | TARIFF
KINDS: dict[str, Kind] = {
    word: kind
    for word, (kind, _) in (RELATION_WORDS | CHECK_WORDS | TARIFF_WORDS | EVENT_WORDS | MEMBER | ITEM).items()
}
# values that a word has: rules that ask for others can hold for nobody (``satisfy``)
BOUNDS: dict[str, tuple[int | None, int | None]] = {
    "年龄": (0, 150), "月初年龄": (-1, 150), "残疾等级": (1, 4), "名册残疾等级": (1, 4), "证号残疾等级": (1, 4), "家庭人口": (0, None), "保障人数": (0, None),
    "同户他人": (0, None), "残疾证失效月数": (0, None), "户籍变动月数": (0, None), "学籍结束月数": (0, None), "确诊月数": (0, None),
    "家庭月收入": (None, None), "家庭人均月收入": (None, None),
}  # fmt: skip
# the words that the program gives these terms; another one in quotes is a slip of the pen
CHOICES: dict[str, tuple[str, ...]] = {
    "性别": ("男", "女"), "残疾类别": ("视力", "听力", "言语", "肢体", "智力", "精神", "多重", "无"), "供养方式": ("集中", "分散"),
    "自理能力": ("自理", "半自理", "全护理"), "危房等级": ("A", "B", "C", "D"), "户籍变动": ("迁出", "注销", "出国定居", "未注明"),
    "近亲属是否备案": ("是", "否"), "近亲属备案": ("是", "否"), "名册残疾类别": ("视力", "听力", "言语", "肢体", "智力", "精神", "多重", "无"),
}  # fmt: skip
