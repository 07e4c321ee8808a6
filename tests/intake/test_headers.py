"""Headers to fields: single ones, whole header rows, money columns, content, --map."""

from __future__ import annotations

from typing import Any

import pytest

from jiuzhu_cli.intake.headers import Lexicon, unit_of, unit_of_lines
from jiuzhu_cli.intake.table import Hints, Table
from tests.intake.sheets import codes, fields, policy, sheet, tables_of
from tests.support import make_id

LEXICON = Lexicon(policy())

SINGLE = {
    "户主姓名": "head_name",
    "户 主\n姓 名": "head_name",
    "姓名": "name",
    "身份证号码": "id_no",
    "户主身份证号（18位）": "head_id_no",
    "户主公民身份证号码": "head_id_no",
    "户主居民身份证号": "head_id_no",
    "申请人身份证件号码": "head_id_no",
    "残疾人身份证号": "id_no",
    "救助对象身份证号码": "id_no",
    "困难群众姓名": "",
    "失能老人姓名": "name",
    "孤儿姓名": "name",
    "收款人全称": "payee_name",
    "收款人身份证号": "payee_id_no",
    "开户人证件号": "payee_id_no",
    "账户名称": "payee_name",
    "监护人姓名": "",
    "监护人身份证号": "",
    "联系人姓名": "",
    "联系人身份证号": "",
    "赡养人身份证号码": "",
    "村干部姓名": "",
    "银 行 帐 号": "account_no",
    "银行帐号（一卡通）": "account_no",
    "惠民一卡通卡号": "account_no",
    "原银行账号": "",
    "开户银行（全称）": "bank_name",
    "户月保障金额（元）": "amount_fen",
    "累计发放金额": "",
    "家庭月收入": "income_month",
    "家庭人均年收入": "income_per_person_year",
    "与户主关系": "relation",
    "乡镇（街道）": "town",
    "所属镇（街道）": "town",
    "村（居）": "village",
    "行政村名称": "village",
    "残疾证号": "disability_no",
    "低保（特困）证号": "case_code",
    "文化程度": "",
    "*姓名": "name",
    "姓名：": "name",
    "3.姓名": "name",
    "（3）姓名": "name",
    "③身份证号": "id_no",
    "一、户主姓名": "head_name",
    "5身份证号码": "id_no",
    "★身份证号": "id_no",
    "“姓名”": "name",
    "姓名（必填）*": "name",
    "身分證號碼": "id_no",
    "戶主姓名": "head_name",
    "開戶銀行": "bank_name",
    "銀行帳號": "account_no",
    "與戶主關係": "relation",
    "聯繫電話": "phone",
    "殘疾等級": "disability_grade",
    "發放金額（元": "amount_fen",
    "保障金额元/月": "amount_fen",
    "补助资金万元": "amount_fen",
    "低保金（元/户·月）": "amount_fen",
    "户藉地址": "address",
    "银行账号/社保卡号": "account_no",
    "乡镇、街道": "town",
    "80周岁以上人数": "",
}


@pytest.mark.parametrize(("header", "expected"), SINGLE.items())
def test_one_header(header: str, expected: str) -> None:
    assert LEXICON.meaning([header]).field == expected


# policy-reference, appendix D: what stands in the province's and the towns' files
APPENDIX_D = {
    "name": "姓名 老人姓名 对象姓名 残疾人姓名 受益人",
    "head_name": "户主姓名 申请人 申请人姓名 户主",
    "payee_name": "收款人全称 领款人 账户名称 银行账户名称 户名",
    "id_no": "身份证号 身份证号码 公民身份号码 公民身份证号码 证件号码 身份证",
    "head_id_no": "户主身份证号",
    "payee_id_no": "收款人身份证号",
    "relation": "与户主关系 与申请人关系 家庭关系 称谓",
    "household_size": "家庭人口 家庭人口数",
    "covered_persons": "保障人口 保障人口数 特困人员数 享受人数 救助人数",
    "amount_fen": "户月保障金额（元） 保障金额（元） 月保障金 低保金 合计（元） 发放金额 实发金额 补贴金额 发放合计 救助金额 最终确定发放该人补贴总金额",
    "addon_fen": "家庭分类施保总额（元） 人员分类施保总额（元） 分类救助金额",
    "base_fen": "基本生活总费用（元）",
    "care_fen": "照料护理总费用（元）",
    "bank_name": "开户银行 银行名称 开户行 开户网点 开户银行网点名称",
    "account_no": "银行帐号 银行账号 银行卡号 一卡通账号 一卡通账户 社保卡号 存折账号 账号",
    "province": "所属省 所属省级",
    "city": "所属市 市级",
    "county": "所属区 区县",
    "town": "所属街 街道 镇街 乡镇",
    "village": "所属社 社区 村（居） 村(社区) 村组",
    "area_text": "地区",
    "case_code": "低保（特困）证号 低保证号 家庭编号",
    "start_month": "最初享受月 最初享受月份 起始保障年月",
    "category": "救助类型 保障类别 救助类别 发放类别",
    "grade": "分档类型",
    "care_mode": "供养方式",
    "self_care": "生活自理能力",
    "disability_no": "残疾证号",
    "disability_kind": "残疾类别",
    "disability_grade": "残疾等级",
    "illness": "患病病种",
    "work_ability": "劳动能力",
    "cause": "申请原因 主要致贫原因",
    "phone": "联系电话 手机号 收款人手机号 老人联系方式",
    "address": "户籍地址 收款人家庭地址",
    "claimed_status": "人员类型 原始类型",
    "months_paid": "发放月数",
    "remark": "备注",
    "": "救助金计算方式 发放方式 发放状态 反馈状态",
}


@pytest.mark.parametrize(
    ("field", "header"), [(field, word) for field, words in APPENDIX_D.items() for word in words.split()]
)
def test_words_met_in_real_files(field: str, header: str) -> None:
    for written in (
        header,
        f"*{header}：",
        " ".join(header),
        f"3.{header}",
        header.replace("（", "(").replace("）", ")"),
    ):
        assert LEXICON.meaning([written]).field == field, written


def test_a_banks_number_is_no_rows_number() -> None:
    rows = [["102537000019", "张三", A, 1, CARD], ["103537000027", "李四", B, 1, CARD2]]
    assert fields(table(["行号", "姓名", "身份证号", "金额", "账号"], *rows))["bank_code"] == "A"
    rows = [["1", "张三", A, 1, CARD], ["2", "李四", B, 1, CARD2]]
    assert fields(table(["行号", "姓名", "身份证号", "金额", "账号"], *rows))["serial_no"] == "A"


NESTED = {
    ("家庭成员", "姓名"): "name",
    ("户主", "姓名"): "head_name",
    ("户主信息", "身份证号"): "head_id_no",
    ("户主情况", "身份证号码"): "head_id_no",
    ("监护人信息", "姓名"): "",
    ("监护人", "联系电话"): "phone",
    ("银行账户信息", "户名"): "payee_name",
    ("领款人", "身份证号"): "payee_id_no",
    ("发放金额", "基本"): "base_fen",
    ("发放金额（元）", "分类施保"): "addon_fen",
    ("发放金额", "合计"): "amount_fen",
    ("保障金额", "小计"): "amount_fen",
    ("救助金", "护理费"): "care_fen",
    ("保障人口", "合计"): "covered_persons",
    ("家庭人口", "人数"): "household_size",
    ("家庭收入", "合计"): "income_fen",
    ("2026年10月", "发放金额"): "amount_fen",
    ("基本情况", "家庭成员", "身份证号"): "id_no",
    ("户籍地址", "乡镇"): "town",
    ("户籍地址", "村"): "village",
    ("残疾情况", "等级"): "disability_grade",
    ("残疾情况", "类别"): "disability_kind",
}


@pytest.mark.parametrize(("parts", "expected"), NESTED.items())
def test_parent_decides(parts: tuple[str, ...], expected: str) -> None:
    assert LEXICON.meaning(list(parts)).field == expected


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("金额（万元）", "万元"),
        ("金额（元/月）", "元"),
        ("金额(单位：千元)", "千元"),
        ("补助资金万元", "万元"),
        ("金额", ""),
        ("金额/元", "元"),
        ("金额（百元）", "百元"),
        ("金额（元/人/月）", "元"),
        ("保障金额元/月", "元"),
        ("金额（分）", "分"),
        ("供养金额（分散供养）", ""),
        ("金额（单位:万元）", "万元"),
        ("金额（万元以内）", ""),
    ],
)
def test_unit_in_header(header: str, unit: str) -> None:
    assert unit_of([header]) == unit


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("单位：元", "元"),
        ("金额单位：万元", "万元"),
        ("单位：户、人、元", "元"),
        ("填报单位：城关镇", ""),
        ("单位:万元", "万元"),
    ],
)
def test_unit_in_line(line: str, unit: str) -> None:
    assert unit_of_lines([line]) == unit


def table(header: list[str], *rows: list[Any], title: str = "城关镇2026年10月农村低保花名册", **hints: Any) -> Table:
    tables, _ = tables_of(sheet([[title], header, *rows]), file="a.xlsx", hints=Hints(**hints))
    assert len(tables) == 1
    return tables[0]


A, B, C, D = make_id(1), make_id(2, male=False), make_id(3), make_id(4)
CARD, CARD2 = "6217001234567890123", "6217001234567890131"


def test_only_the_head_is_the_person() -> None:
    got = table(
        ["序号", "户主姓名", "身份证号", "低保证号", "家庭人口数", "保障金额（元）"], [1, "张三", A, "1", 2, 300]
    )
    assert fields(got)["name"] == "B" and fields(got)["id_no"] == "C"
    got = table(["户主姓名", "户主身份证号", "金额"], ["张三", A, 1])
    assert fields(got) == {"name": "A", "id_no": "B", "amount_fen": "C"}


def test_payee_alone_is_the_person() -> None:
    got = table(
        ["收款人全称", "收款人身份证号", "收款人手机号", "最终确定发放该人补贴总金额", "银行账号"],
        ["张三", A, "1", 1, CARD],
    )
    assert fields(got) == {"name": "A", "id_no": "B", "phone": "C", "amount_fen": "D", "account_no": "E"}


def test_two_plain_ids_follow_their_names() -> None:
    got = table(
        ["户主姓名", "身份证号", "家庭成员姓名", "身份证号", "关系", "金额"],
        ["张三", A, "李四", B, "妻", 1],
        ["张三", A, "张三", A, "本人", 1],
    )
    assert fields(got) == {
        "head_name": "A",
        "head_id_no": "B",
        "name": "C",
        "id_no": "D",
        "relation": "E",
        "amount_fen": "F",
    }
    got = table(["姓名", "身份证号", "监护人姓名", "身份证号", "金额"], ["小张", A, "张三", B, 1])
    assert fields(got) == {"name": "A", "id_no": "B", "amount_fen": "E"}


def test_two_ids_in_doubt_are_never_guessed() -> None:
    got = table(["姓名", "身份证号", "身份证号码", "金额"], ["张三", A, B, 1], ["李四", C, D, 1])
    assert got.fatal and "id_column_ambiguous" in codes(got)
    finding = next(one for one in got.findings if one.code == "id_column_ambiguous")
    assert "B列" in str(finding.values["columns"]) and "C列" in str(finding.values["columns"])
    assert not table(["姓名", "身份证号", "身份证号码", "金额"], ["张三", A, A, 1]).fatal
    solved = table(["姓名", "身份证号", "身份证号码", "金额"], ["张三", A, B, 1], mapping={"C": "身份证号"})
    assert not solved.fatal and fields(solved)["id_no"] == "C"


def test_no_id_is_fatal() -> None:
    got = table(["姓名", "性别", "年龄", "金额"], ["张三", "男", 50, 1])
    assert got.fatal and "id_column_missing" in codes(got)


def test_head_id_above_several_names_is_not_the_persons() -> None:
    got = table(["姓名", "户主身份证号", "金额"], ["张三", A, 1], ["李四", A, 1], ["王五", C, 1])
    assert got.fatal and "id_column_missing" in codes(got)


MONEY: list[tuple[str, list[str], list[list[Any]], str]] = [
    ("plain", ["发放金额"], [[300], [200]], "C"),
    ("net over gross", ["应发金额", "扣款", "实发金额"], [[300, 20, 280], [200, 0, 200]], "E"),
    ("sum of parts", ["基本保障金", "分类施保金", "合计"], [[300, 20, 320], [200, 0, 200]], "E"),
    ("sum of unknown parts", ["低保金", "水电补贴", "合计"], [[300, 20, 320], [200, 10, 210]], "E"),
    ("standard beside amount", ["补贴标准", "发放金额"], [[100, 300], [100, 200]], "D"),
    ("equal columns", ["保障金额", "实发金额"], [[300, 300], [200, 200]], "D"),
    ("capitals beside", ["发放金额", "大写金额"], [[300, "叁佰元整"], [200, "贰佰元整"]], "C"),
    ("months times", ["月保障金额", "发放月数", "发放金额"], [[100, 3, 300], [100, 1, 100]], "E"),
    ("last month beside", ["上月金额", "本月金额"], [[300, 310], [200, 210]], "D"),
    ("running total beside", ["发放金额", "累计发放金额"], [[300, 3000], [200, 2000]], "C"),
    ("income is no amount", ["家庭月收入", "保障金额"], [[300, 310], [200, 210]], "D"),
    ("per head beside", ["人均补差", "保障人口", "户月保障金额"], [[100, 3, 300], [100, 2, 200]], "E"),
    ("approved beside paid", ["核定金额", "发放金额"], [[300, 290], [200, 200]], "D"),
    ("before and after", ["调整前保障金额", "调整后保障金额"], [[300, 310], [200, 210]], "D"),
    ("empty double", ["金额", "发放金额"], [[None, 310], [None, 210]], "D"),
]


@pytest.mark.parametrize(("what", "header", "rows", "expected"), MONEY, ids=[case[0] for case in MONEY])
def test_amount_column(what: str, header: list[str], rows: list[list[Any]], expected: str) -> None:
    got = table(["姓名", "身份证号", *header], *[["张三", make_id(n + 1), *row] for n, row in enumerate(rows)])
    assert (fields(got).get("amount_fen"), got.fatal) == (expected, False)


def test_two_amounts_in_doubt_are_never_guessed() -> None:
    rows = [["张三", A, 300, 900], ["李四", B, 200, 500]]
    got = table(["姓名", "身份证号", "保障金额", "救助金额"], *rows)
    assert got.fatal and "amount_column_ambiguous" in codes(got)
    got = table(["姓名", "身份证号", "保障金额", "救助金额"], *rows, mapping={"保障金额": "发放金额"})
    assert not got.fatal and fields(got)["amount_fen"] == "C"
    got = table(["姓名", "身份证号", "实发金额", "实发金额"], *rows)
    assert got.fatal


def test_only_a_standard_is_the_amount_of_a_person_with_a_warning() -> None:
    got = table(["姓名", "身份证号", "年龄", "补贴标准"], ["张三", A, 85, 100], title="城关镇2026年10月高龄津贴")
    assert fields(got)["amount_fen"] == "D" and "amount_from_standard" in codes(got)
    got = table(["户主", "身份证号", "保障人数", "低保标准"], ["张三", A, 2, 600])
    assert "amount_fen" not in fields(got) and "amount_column_missing" in codes(got)


def test_parts_without_total() -> None:
    got = table(
        ["姓名", "身份证号", "基本生活费", "照料护理费"], ["张三", A, 900, 300], title="城关镇2026年10月特困供养"
    )
    assert got.amount_from_parts and "amount_fen" not in fields(got)


def test_amount_of_its_own_programme() -> None:
    header = ["姓名", "身份证号", "生活补贴", "护理补贴", "合计"]
    got = table(header, ["张三", A, 80, 100, 180], ["李四", B, 80, 0, 80], title="城关镇2026年10月重度残疾人护理补贴")
    assert (fields(got)["amount_fen"], got.fatal) == ("D", False)


def test_account_in_doubt() -> None:
    got = table(["姓名", "身份证号", "金额", "银行账号", "一卡通账号"], ["张三", A, 1, CARD, CARD2])
    assert got.fatal and "account_column_ambiguous" in codes(got)
    got = table(["姓名", "身份证号", "金额", "银行账号", "社保卡号"], ["张三", A, 1, CARD, CARD2])
    assert (fields(got)["account_no"], got.fatal) == ("D", False)


def test_units_scale() -> None:
    tables, _ = tables_of(
        sheet([["城关镇2026年10月农村低保", None, "单位：万元"], ["姓名", "身份证号", "金额"], ["张三", A, 0.03]])
    )
    assert tables[0].column("amount_fen").unit == "万元"  # type: ignore[union-attr]
    assert table(["姓名", "身份证号", "金额（千元）"], ["张三", A, 0.3]).column("amount_fen").unit == "千元"  # type: ignore[union-attr]


PERIODS: list[tuple[str, str, str, bool]] = [
    ("a year's", "城关镇2026年10月农村低保", "保障金额（元/年）", True),
    ("a year's, in words", "城关镇2026年10月农村低保", "保障金额（全年）", True),
    ("a quarter's", "城关镇2026年10月高龄津贴", "津贴金额（元/季）", True),
    ("a month's", "城关镇2026年10月高龄津贴", "津贴金额（元/月）", False),
    ("per person and month", "城关镇2026年10月高龄津贴", "津贴金额（元/人·月）", False),
    ("once", "城关镇2026年10月临时救助", "救助金额（元/年）", False),
]


@pytest.mark.parametrize(("what", "title", "header", "refused"), PERIODS, ids=[case[0] for case in PERIODS])
def test_a_years_amount_is_never_a_months(what: str, title: str, header: str, refused: bool) -> None:
    got = table(["姓名", "身份证号", header], ["张三", A, 1200], ["李四", B, 2400], title=title)
    assert (got.fatal, "amount_other_period" in codes(got)) == (refused, refused)
    said = table(["姓名", "身份证号", header], ["张三", A, 1200], title=title, mapping={"C": "发放金额"})
    assert not said.fatal and fields(said)["amount_fen"] == "C"
    beside = table(["姓名", "身份证号", header, "月金额"], ["张三", A, 1200, 100], title=title)
    assert not refused or fields(beside)["amount_fen"] == "D"


def test_headers_over_the_wrong_columns_are_refused_with_the_words_to_type() -> None:
    rows = [[make_id(n), "张三", "男", 300] for n in range(1, 6)]
    got = table(["姓名", "身份证号", "性别", "金额"], *rows)
    finding = next(one for one in got.findings if one.code == "header_shifted")
    assert got.fatal and finding.values["example"] == "--map 姓名=身份证号"
    solved = table(["姓名", "身份证号", "性别", "金额"], *rows, mapping={"A": "身份证号", "B": "姓名"})
    assert not solved.fatal and fields(solved) == {"id_no": "A", "name": "B", "sex": "C", "amount_fen": "D"}


def test_content_tells_sex_kinship_bank_birth_and_age() -> None:
    people = [("本人", "男", "19500102"), ("妻", "女", "19530405"), ("长子", "男", "19800607"), ("本人", "女", "19600809"), ("孙女", "女", "20101112"), ("户主", "男", "19550203")]  # fmt: skip
    rows = [
        [f"张{'一二三四五六'[n]}", make_id(n + 1, born=born, male=sex == "男"), relation, sex, born, 2026 - int(born[:4]), "农业银行城关支行", 100]
        for n, (relation, sex, born) in enumerate(people)
    ]  # fmt: skip
    got = table(["姓名", "身份证号", None, None, None, None, None, "金额"], *rows)  # type: ignore[list-item]
    assert fields(got) == {
        "name": "A", "id_no": "B", "relation": "C", "sex": "D", "birth_date": "E", "age": "F", "bank_name": "G", "amount_fen": "H",
    }  # fmt: skip
    other = table(["姓名", "身份证号", "监护人关系", "谁的", "开户日", "人口", "经办人", "金额"], *rows)
    assert not {"relation", "sex", "birth_date", "age", "bank_name"} & set(
        fields(other)
    )  # their headers say something else


def test_level_by_header() -> None:
    got = table(["姓名", "身份证号", "户月保障金额（元）"], ["张三", A, 300])
    assert got.column("amount_fen").level == "household"  # type: ignore[union-attr]


def test_content_speaks_where_the_header_is_silent() -> None:
    rows = [["张三", make_id(n), 100, f"62170012345678901{n:02d}"] for n in range(10, 20)]
    got = table(["姓名", None, "金额", None], *rows)  # type: ignore[list-item]
    assert fields(got) == {"name": "A", "id_no": "B", "amount_fen": "C", "account_no": "D"}
    assert codes(got).count("column_by_content") == 2
    got = table(["姓名", "号码", "金额"], *rows)
    assert fields(got)["id_no"] == "B"


def test_lists_of_members_in_one_cell() -> None:
    got = table(
        ["户主姓名", "户主身份证号", "家庭成员姓名", "家庭成员身份证号", "金额"],
        ["张三", A, "李四、王五", f"{B}、{C}", 300],
        ["赵六", D, "", "", 200],
    )
    assert fields(got) == {
        "head_name": "A",
        "head_id_no": "B",
        "member_names": "C",
        "member_ids": "D",
        "amount_fen": "E",
    }


def test_extra_columns_stay() -> None:
    got = table(["姓名", "身份证号", "文化程度", "金额"], ["张三", A, "小学", 1])
    assert [(column.header, column.field) for column in got.columns][2] == ("文化程度", "")


def test_map_of_an_unknown_header_is_told() -> None:
    got = table(["姓名", "身份证号", "金额"], ["张三", A, 1], mapping={"补助": "发放金额"})
    assert "map_unused" in codes(got)


def test_the_recipient_is_the_person_never_the_head() -> None:
    got = table(["户主姓名", "户主身份证号码", "享受人姓名", "享受人身份证号码", "金额"], ["张三", A, "李四", B, 1])
    assert fields(got) == {"head_name": "A", "head_id_no": "B", "name": "C", "id_no": "D", "amount_fen": "E"}
    got = table(["户主", "成员", "身份证号", "金额"], ["张三", "张三", A, 1], [None, "李四", B, None])
    assert fields(got) == {"head_name": "A", "name": "B", "id_no": "C", "amount_fen": "D"}


def test_somebody_elses_id_is_never_taken() -> None:
    got = table(["户主姓名", "户主身份证号", "成员姓名", "金额"], ["张三", A, "李四", 1], ["张三", A, "张三", 1])
    assert got.fatal and "id_column_missing" in codes(got)
    got = table(["姓名", "领款人", "领款人身份证号", "金额"], ["小张", "张三", A, 1], ["小李", "李四", B, 1])
    assert got.fatal and "id_column_missing" in codes(got)


PAIRS = [["1", "张三", A, "李四", B, 100, 1200], ["2", "王五", C, "赵六", D, 200, 2400]]
BANDS = {
    "head_name": "B", "head_id_no": "C", "member_names": "D", "member_ids": "E", "serial_no": "A",
}  # fmt: skip
HEADER_ROWS: list[tuple[str, list[list[Any]], list[tuple[int, int, int, int]], dict[str, str]]] = [
    (
        "the same words under two bands",
        [["序号", "户主信息", None, "家庭成员", None, "保障金额", None], [None, "姓名", "身份证号", "姓名", "身份证号", "本月", "累计"], *PAIRS],
        [(1, 0, 2, 0), (1, 1, 1, 2), (1, 3, 1, 4), (1, 5, 1, 6)],
        BANDS | {"amount_fen": "F"},
    ),
    (
        "the same, merges lost",
        [["序号", "户主信息", None, "家庭成员", None, "保障金额", None], [None, "姓名", "身份证号", "姓名", "身份证号", "本月", "累计"], *PAIRS],
        [],
        BANDS | {"amount_fen": "F"},
    ),
    (
        "heads of their own width beside wide ones",
        [["序号", "户主信息", None, "家庭成员", None, "应发", "实发"], [None, "姓名", "身份证号", "姓名", "身份证号", "金额", "金额"], *PAIRS],
        [(1, 0, 2, 0), (1, 1, 1, 2), (1, 3, 1, 4)],
        BANDS | {"amount_fen": "G"},
    ),
    (
        "one header over two columns",
        [["序号", "姓名", None, "身份证号", "金额"], ["1", "张三", "男", A, 100], ["2", "王芳", "女", B, 200], ["3", "李四", "男", C, 300]],
        [(1, 1, 1, 2)],
        {"serial_no": "A", "name": "B", "id_no": "D", "amount_fen": "E"},
    ),
    (
        "a bank's band",
        [["序号", "姓名", "身份证号", "银行信息", None, None, "金额"], [None, None, None, "开户行", "账号", "户名", None], ["1", "张三", A, "农行", CARD, "张三", 100]],
        [(1, 0, 2, 0), (1, 1, 2, 1), (1, 2, 2, 2), (1, 3, 1, 5), (1, 6, 2, 6)],
        {"serial_no": "A", "name": "B", "id_no": "C", "bank_name": "D", "account_no": "E", "payee_name": "F", "amount_fen": "G"},
    ),
    (
        "a row of units",
        [["姓名", "身份证号", "保障金额"], [None, None, "（万元）"], ["张三", A, 0.01]],
        [],
        {"name": "A", "id_no": "B", "amount_fen": "C"},
    ),
    (
        "in English",
        [["Name", "ID Number", "Amount", "Account"], ["张三", A, 100, CARD]],
        [],
        {"name": "A", "id_no": "B", "amount_fen": "C", "account_no": "D"},
    ),
    (
        "numbered and starred",
        [["*1.姓名", "*2.身份证号（18位）", "3.联系电话", "*4.发放金额(元)", "5.银行账号：", "6.是否本人领取"], ["张三", A, "13800000000", 100, CARD, "是"]],
        [],
        {"name": "A", "id_no": "B", "phone": "C", "amount_fen": "D", "account_no": "E"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "rows", "merged", "expected"), HEADER_ROWS, ids=[case[0] for case in HEADER_ROWS])
def test_header_rows(
    what: str, rows: list[list[Any]], merged: list[tuple[int, int, int, int]], expected: dict[str, str]
) -> None:
    tables, _ = tables_of(sheet([["城关镇2026年10月农村低保花名册"], *rows], merged=merged), file="a.xlsx")
    assert len(tables) == 1 and not tables[0].fatal, codes(tables[0])
    assert fields(tables[0]) == expected
