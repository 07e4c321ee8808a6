"""What town offices and departments sent that came back wrong once: each case is named after the fault it was."""

from __future__ import annotations

from tests.corpus.book import FILE, HEADER, TITLE, File, Page, account, case, name, one, person
from tests.support import make_id

LIST = ["姓名", "身份证号", "金额", "账号"]


def line(number: int, amount: object = 100, **instead: object) -> list[object]:
    """A row under ``LIST``; ``instead`` puts other cells there by their header."""
    row: dict[str, object] = dict(zip(LIST, [name(number), make_id(number), amount, account(number)], strict=True))
    return list((row | instead).values())


@case()
def title_printed_again_with_date_and_page_number() -> File:
    """The date and the page number have cells of their own, above the header of every page."""
    pages = [
        [[TITLE], ["2026年10月", None, None, f"第{n}页"], HEADER, person(n), ["本页小计", None, None, 100]]
        for n in (1, 2, 3)
    ]
    return one(*(row for page in pages for row in page), ["总计", None, None, 300])


@case()
def x_of_an_id_typed_as_a_roman_ten() -> File:
    """Ⅹ is in every input method's table of numerals; 42100219700101033X is person 16's."""
    marks = {n: make_id(n).replace("X", mark) for n, mark in zip(ENDING_IN_X, "ⅩⅹΧ", strict=False)}
    return one([TITLE], LIST, *(line(n, 身份证号=text) for n, text in marks.items()))


ENDING_IN_X = [n for n in range(1, 200) if make_id(n).endswith("X")][:3]


@case()
def whole_roll_that_counts_those_who_came() -> File:
    return one(
        ["城关镇2026年10月高龄津贴发放花名册（较9月新增2人、停发1人）"], LIST, line(1), line(2), file="上报.xlsx"
    )


@case()
def award_for_guardians_is_no_back_pay() -> File:
    head = ["患者姓名", "身份证号", "监护人姓名", "奖补金额", "监护人账号"]
    rows = [[name(n), make_id(n), name(n + 20), 200, account(n)] for n in (1, 2)]
    return one(["城关镇严重精神障碍患者监护以奖代补发放表2026年10月"], head, *rows, file="重精.xlsx")


@case()
def consolation_money_of_a_programme_of_its_own() -> File:
    return one(["城关镇见义勇为人员慰问金发放表（2026年10月）"], LIST, line(1, 5000), file="慰问金.xlsx")


@case()
def programme_named_in_quotation_marks() -> File:
    return one(["城关镇贫困“两癌”患病妇女救助金发放表2026年10月"], LIST, line(1, 5000), file="妇联.xlsx")


@case()
def people_called_by_their_role() -> list[File]:
    """受援人, 职工姓名, 承租人: nothing else on the list is a name."""
    roles = {"法律援助受援人名单": "受援人", "困难职工帮扶资金发放表": "职工姓名", "公租房实物配租名单": "承租人"}
    return [
        one(
            [f"城关镇2026年10月{title}"],
            [role, "身份证号", "金额", "经办人"],
            [name(n), make_id(n), 100, name(n + 30)],
            file=f"{role}.xlsx",
        )
        for n, (title, role) in enumerate(roles.items(), 1)
    ]


@case()
def sheets_named_after_programmes_are_no_villages() -> File:
    """孤儿 and 公租房 once became the village of everybody on those sheets."""
    pages = [Page([LIST, line(n)], name=word) for n, word in enumerate(("高龄", "孤儿", "临时救助"), 1)]
    return File("城关镇2026年10月发放表.xlsx", pages)


@case()
def surname_and_given_name_in_two_columns() -> File:
    head = ["序号", "姓", "名", "身份证号", "金额", "账号"]
    rows = [[n, name(n)[:1], name(n)[1:], make_id(n), 100, account(n)] for n in (1, 2, 3)]
    rows.append([4, "欧阳", "娜", make_id(4)[:17], 100, account(4)])
    return one([TITLE], head, *rows)


@case()
def month_with_a_short_year_and_a_point() -> list[File]:
    return [
        one(LIST, line(1), file="26.10月城关镇高龄津贴.xlsx"),
        one(LIST, line(2), file="青溪镇高龄津贴26年10月.xlsx"),
    ]


@case()
def people_of_two_programmes_told_by_any_column() -> File:
    head = ["姓名", "身份证号", "儿童类别", "金额", "账号"]
    kinds = {1: "孤儿", 2: "事实无人抚养儿童", 3: "孤儿"}
    rows = [[name(n), make_id(n), kind, 1500, account(n)] for n, kind in kinds.items()]
    title = "城关镇2026年10月孤儿、事实无人抚养儿童基本生活费发放表"
    return one(["附件2"], [title], head, *rows, file="儿童.xlsx", name="附件2")


@case()
def yuan_under_a_line_that_says_ten_thousand() -> File:
    """100 元 a month under 单位：万元 was a million."""
    return one([TITLE], ["单位：万元"], LIST, line(1), line(2, 0.01), line(3, 120))


@case()
def id_and_account_stand_under_each_others_header() -> File:
    cards = ["6217995200000000011", "6217995200000000029", "6217995200000000037"]
    rows = [[name(n), card, make_id(n), 100] for n, card in enumerate(cards, 1)]
    return one([TITLE], ["姓名", "身份证号", "账号", "金额"], *rows)


@case()
def support_at_home_told_by_the_title() -> File:
    title = "城关镇2026年10月分散供养特困人员供养金发放表"
    return one([title], LIST, line(1, 900), line(2, 900), file="特困.xlsx")


@case()
def grade_of_a_disability_with_a_remark() -> File:
    head = ["姓名", "身份证号", "残疾等级", "补贴金额", "账号"]
    grades = {1: "一级（重度）", 2: "二级(肢体)", 3: "一级（二级）"}
    rows = [[name(n), make_id(n), grade, 100, account(n)] for n, grade in grades.items()]
    return one(["城关镇2026年10月重度残疾人护理补贴发放表"], head, *rows, file="护理补贴.xlsx")


@case()
def amount_of_each_person_is_no_standard() -> File:
    head = ["户编号", "户主姓名", "姓名", "身份证号", "与户主关系", "个人保障金额", "账号"]
    rows = [
        ["H1", name(1), name(1), make_id(1), "户主", 300, account(1)],
        ["H1", name(1), name(2), make_id(2), "配偶", 200, None],
        ["H2", name(3), name(3), make_id(3), "户主", 100, account(3)],
    ]
    return one(["城关镇2026年10月农村低保花名册"], head, *rows, file=FILE.replace("高龄津贴", "低保"))


@case()
def ten_thousand_in_the_line_yuan_in_the_header() -> File:
    """0.2 under 金额（元）with 单位：万元 above: 20 分 or 2000 元, nobody can say."""
    head = ["姓名", "身份证号", "救助金额（元）", "账号"]
    title = "城关镇2026年10月临时救助发放表"
    return one([title], ["单位：万元"], head, line(1, 0.2), line(2, 0.1), file="临时救助.xlsx")


@case()
def age_written_right_behind_the_month() -> File:
    return one(["城关镇2026.1080岁以上高龄老人津贴发放花名册"], LIST, line(1), line(2), file="上报.xlsx")


@case()
def next_page_says_who_reports_under_the_same_title() -> File:
    """The total at the end is of both pages, and the village above them goes on."""
    first = [[TITLE], ["填报日期：2026年10月8日"], HEADER, ["东风村（3人）"], person(1), person(2), ["本页小计"]]
    second = [[TITLE], ["填报单位：城关镇人民政府（盖章）", None, None, None, "单位：元"], HEADER, person(3)]
    return one(*first, *second, ["合计", None, None, 300])


@case()
def next_table_of_another_village_under_the_same_title() -> File:
    first = [[TITLE], ["填报单位：城关镇东风村"], HEADER, person(1)]
    second = [[TITLE], ["填报单位：城关镇前进村"], HEADER, person(2)]
    return one(*first, *second)


@case()
def office_signs_under_the_list() -> File:
    """The office's name in a line of its own, the date in the next, under whatever column stands first."""
    head = ["发放金额", "姓名", "身份证号", "银行账号"]
    rows = [[100, name(n), make_id(n), account(n)] for n in (1, 2)]
    return one([TITLE], head, *rows, [], ["城关镇人民政府"], ["2026年10月25日"])


@case()
def star_beside_a_name() -> File:
    return one([TITLE], LIST, line(1, 姓名=f"{name(1)}★"), line(2, 姓名=f"▲{name(2)}"))


@case()
def banners_and_the_south_name_columns_their_own_way() -> list[File]:
    rows = [["石宝村", name(1), make_id(1), 1, 500, account(1)]]
    north = one(
        ["城关镇2026年10月份农村牧区低保发放花名册"],
        ["嘎查村", "户主", "身份证号", "保障人口", "保障金额", "一卡通账号"],
        *rows,
        file="北.xlsx",
    )
    south = one(
        ["青溪镇2026年10月份农村低保社会化发放名册"],
        ["村（居）委会", "户主", "身份证号码", "家庭人口", "月补差额", "银行帐号"],
        ["甘园村", name(2), make_id(2), 1, 420, account(2)],
        file="南.xlsx",
    )
    return [north, south]
