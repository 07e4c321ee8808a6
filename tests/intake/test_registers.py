"""Every register as its keeper sends it: typical headers (policy-reference §1.9), imported through the same door as a roll."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import POLICY, codes, name, run_one, workbook
from tests.support import make_id, make_workspace

CERTIFICATE = "certificate"  # the person's ID with kind and grade behind it
# code → (file name, [(header, cell, column of the record or '' , what it must hold)])
Cells = list[tuple[str, Any, str, Any]]
REGISTERS: dict[str, tuple[str, Cells]] = {
    "death": ("2026年10月死亡人员名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("死亡日期", "2026.9.3", "event_date", "2026-09-03"), ("注销日期", "2026-09-20", "valid_from", "2026-09-20")]),
    "cremation": ("殡仪馆火化名单2026年10月", [("序号", 1, "", None), ("逝者姓名", "N", "", None), ("身份证号", "I", "", None), ("死亡日期", 20260903, "event_date", "2026-09-03"), ("火化日期", "2026年9月5日", "valid_from", "2026-09-05"), ("殡仪馆", "某区殡仪馆", "organisation", "某区殡仪馆")]),
    "household_registration": ("户籍信息", [("户号", "H001", "certificate_no", "H001"), ("姓名", "N", "", None), ("公民身份号码", "I", "", None), ("与户主关系", "妻", "relation", "妻"), ("户主姓名", "王户主", "related_name", "王户主"), ("户主身份证号", make_id(90), "related_id_no", make_id(90)), ("户籍状态", "正常", "status", "正常")]),
    "marriage": ("婚姻登记信息", [("男方姓名", "N", "", None), ("男方身份证号", "I", "", None), ("女方姓名", "李女方", "related_name", "李女方"), ("女方身份证号", make_id(91), "related_id_no", make_id(91)), ("登记日期", "2020-05-20", "event_date", "2020-05-20"), ("登记类型", "结婚登记", "kind", "结婚登记")]),
    "imprisonment": ("服刑人员名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("入监日期", "2025-01-10", "valid_from", "2025-01-10"), ("刑期止日", "2028-01-09", "valid_to", "2028-01-09"), ("罪名", "盗窃罪", "kind", "盗窃罪")]),
    "compulsory_rehab": ("强制隔离戒毒人员名单", [("姓名", "N", "", None), ("身份证号码", "I", "", None), ("入所日期", "2026-01-10", "valid_from", "2026-01-10"), ("出所日期", "2028-01-09", "valid_to", "2028-01-09"), ("戒毒所", "某市戒毒所", "organisation", "某市戒毒所")]),
    "missing_declared": ("宣告失踪人员名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("案号", "（2026）特1号", "certificate_no", "（2026）特1号"), ("判决日期", "2026-03-01", "valid_from", "2026-03-01"), ("法院", "某区法院", "organisation", "某区法院")]),
    "vehicle": ("车辆登记信息", [("机动车所有人", "N", "", None), ("身份证明号码", "I", "", None), ("号牌号码", "鄂D12345", "certificate_no", "鄂D12345"), ("号牌种类", "小型汽车", "", None), ("车辆类型", "小型轿车", "kind", "小型轿车"), ("初次登记日期", "2021-06-01", "valid_from", "2021-06-01"), ("状态", "正常", "status", "正常")]),
    "real_estate": ("不动产登记信息", [("权利人", "N", "", None), ("权利人证件号码", "I", "", None), ("坐落", "某路1号", "organisation", "某路1号"), ("建筑面积", 96.5, "", None), ("用途", "住宅", "kind", "住宅"), ("不动产权证号", "鄂（2020）001", "certificate_no", "鄂（2020）001"), ("登记日期", "2020-01-02", "valid_from", "2020-01-02")]),
    "business": ("市场主体登记信息", [("企业名称", "某小卖部", "organisation", "某小卖部"), ("统一社会信用代码", "91420000MA00000000", "certificate_no", "91420000MA00000000"), ("法定代表人", "N", "", None), ("身份证号", "I", "", None), ("任职", "经营者", "kind", "经营者"), ("认缴额（万元）", 3, "amount_fen", 3_000_000), ("经营状态", "存续", "status", "存续")]),
    "tax": ("个人所得税信息", [("姓名", "N", "", None), ("证件号码", "I", "", None), ("扣缴义务人", "某公司", "organisation", "某公司"), ("所得项目", "正常工资薪金", "kind", "正常工资薪金"), ("收入额", "3,500.00", "amount_fen", 350_000), ("税款所属期起", "2026-09-01", "valid_from", "2026-09-01"), ("税款所属期止", "2026-09-30", "valid_to", "2026-09-30")]),
    "social_insurance": ("社保缴纳信息", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("险种", "企业职工养老保险", "kind", "企业职工养老保险"), ("缴费基数", 4200, "amount_fen", 420_000), ("参保单位", "某公司", "organisation", "某公司"), ("参保状态", "正常参保", "status", "正常参保")]),
    "pension": ("养老金发放名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("养老金月额", 2345.67, "amount_fen", 234_567), ("待遇类型", "退休", "kind", "退休"), ("领取起始日期", "2019年3月", "valid_from", "2019-03-01"), ("发放状态", "正常", "status", "正常")]),
    "housing_fund": ("住房公积金缴存信息", [("姓名", "N", "", None), ("证件号码", "I", "", None), ("缴存单位", "某公司", "organisation", "某公司"), ("月缴额", 600, "amount_fen", 60_000), ("状态", "正常", "status", "正常")]),
    "deposit": ("银行存款信息", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("银行名称", "农商行", "organisation", "农商行"), ("存款余额", 12000.5, "amount_fen", 1_200_050), ("查询日期", "2026-10-01", "event_date", "2026-10-01")]),
    "securities": ("证券信息", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("证券账户", "A123456789", "certificate_no", "A123456789"), ("持仓市值", 8000, "amount_fen", 800_000), ("查询日期", "2026-10-01", "event_date", "2026-10-01")]),
    "insurance_policy": ("商业保险信息", [("投保人", "N", "", None), ("投保人身份证号", "I", "", None), ("保单号", "P0001", "certificate_no", "P0001"), ("险种名称", "年金险", "kind", "年金险"), ("保费", 5000, "amount_fen", 500_000), ("保险公司", "某保险", "organisation", "某保险"), ("生效日期", "2024-01-01", "valid_from", "2024-01-01")]),
    "payment_platform": ("支付账户信息", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("支付机构", "某支付", "organisation", "某支付"), ("支付账户余额", 321.1, "amount_fen", 32_110), ("查询日期", "2026-10-01", "event_date", "2026-10-01")]),
    "public_payroll": ("财政供养人员名单", [("单位", "某中学", "organisation", "某中学"), ("姓名", "N", "", None), ("身份证号", "I", "", None), ("编制", "事业编", "kind", "事业编"), ("工资总额", 5200, "amount_fen", 520_000)]),
    "work_injury_care": ("工伤生活护理费名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("护理等级", "二级", "grade", "二级"), ("生活护理费", 1500, "amount_fen", 150_000), ("享受起始日期", "2024-05-01", "valid_from", "2024-05-01")]),
    "military_pension": ("优抚对象名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("优抚类别", "残疾军人", "kind", "残疾军人"), ("伤残等级", "七级", "grade", "七级"), ("抚恤金额", 1200, "amount_fen", 120_000), ("优抚证号", "军A1", "certificate_no", "军A1")]),
    "disability_certificate": ("持证残疾人名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("残疾证号", CERTIFICATE, "certificate_no", CERTIFICATE), ("残疾类别", "肢体", "kind", "肢体"), ("残疾等级", "二级", "grade", "二级"), ("发证日期", "2022-01-01", "valid_from", "2022-01-01"), ("有效期至", "2032-01-01", "valid_to", "2032-01-01"), ("证件状态", "正常", "status", "正常")]),
    "severe_illness": ("重病患者名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("病种", "尿毒症", "kind", "尿毒症"), ("确诊日期", "2026-02-03", "event_date", "2026-02-03"), ("自付费用", 43210.12, "amount_fen", 4_321_012)]),
    "school_enrolment": ("2026年秋季学籍信息", [("学生姓名", "N", "", None), ("身份证件号", "I", "", None), ("学籍号", "G001", "certificate_no", "G001"), ("学校名称", "某小学", "organisation", "某小学"), ("年级", "三年级", "grade", "三年级"), ("入学日期", "2024-09-01", "valid_from", "2024-09-01")]),
    "medical_insurance_enrolment": ("2026年居民医保参保名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("参保类型", "居民医保", "kind", "居民医保"), ("参保日期", "2026-01-01", "valid_from", "2026-01-01"), ("参保状态", "正常", "status", "正常"), ("个人缴费", 400, "amount_fen", 40_000)]),
    "staff_and_cadres": ("经办人员和村干部近亲属备案表", [("单位", "城关镇政府", "organisation", "城关镇政府"), ("经办人员姓名", "N", "", None), ("经办人员身份证号", "I", "", None), ("享受人姓名", "赵享受", "related_name", "赵享受"), ("享受人身份证号", make_id(92), "related_id_no", make_id(92)), ("与享受人关系", "兄弟", "relation", "兄弟")]),
    "dilapidated_house_survey": ("农村危房鉴定名单", [("户主姓名", "N", "", None), ("户主身份证号", "I", "", None), ("房屋结构", "土木", "kind", "土木"), ("鉴定等级", "D级", "grade", "D级"), ("鉴定日期", "2026-04-01", "event_date", "2026-04-01")]),
    "poverty_monitoring": ("防返贫监测对象名单", [("姓名", "N", "", None), ("证件号码", "I", "", None), ("监测对象类别", "突发严重困难户", "kind", "突发严重困难户"), ("识别时间", "2025-11", "event_date", "2025-11-01"), ("风险是否消除", "否", "status", "否"), ("户主姓名", "孙户主", "related_name", "孙户主")]),
    "income_item": ("家庭收入核算明细", [("户主姓名", "王户主", "related_name", "王户主"), ("户主身份证号", make_id(93), "related_id_no", make_id(93)), ("姓名", "N", "", None), ("身份证号", "I", "", None), ("收入项目", "种植业收入", "kind", "种植业收入"), ("金额（元）", "1,200.5", "amount_fen", 120_050), ("收入期间", "年", "grade", "年"), ("数量", 3.5, "quantity", "3.5"), ("起始日期", "2026-01", "valid_from", "2026-01-01")]),
    "household_member": ("家庭成员情况表", [("户主姓名", "王户主", "related_name", "王户主"), ("户主身份证号", make_id(93), "related_id_no", make_id(93)), ("姓名", "N", "", None), ("身份证号", "I", "", None), ("与户主关系", "次子", "relation", "次子"), ("劳动能力", "部分丧失劳动能力", "grade", "部分丧失劳动能力"), ("人员情况", "在校", "status", "在校"), ("是否共同生活", "是", "kind", "是"), ("终止日期", "2027-06-30", "valid_to", "2027-06-30")]),
    "household_income": ("家庭收入汇总表", [("户主姓名", "N", "", None), ("户主身份证号", "I", "", None), ("工资性收入", 1000, "", None), ("经营性收入", 200.5, "", None), ("财产性收入", 0, "", None), ("转移性收入", 300, "", None), ("收入合计（元）", 1500.5, "amount_fen", 150_050), ("收入期间", "年", "grade", "年")]),
    "unemployment_benefit": ("领取失业补助金人员名单", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("失业补助金额", 708.4, "amount_fen", 70_840), ("补助金起始", "2026-03", "valid_from", "2026-03-01"), ("领取状态", "正常", "status", "正常")]),
    "self_care_assessment": ("特困人员生活自理能力评估表", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("吃饭", "能", "", None), ("穿衣", "能", "", None), ("上下床", "能", "", None), ("如厕", "不能", "", None), ("室内行走", "不能", "", None), ("洗澡", "不能", "", None), ("评估结论", "部分丧失", "grade", "部分丧失"), ("评估日期", "2026.5.6", "event_date", "2026-05-06"), ("评估机构", "某评估中心", "organisation", "某评估中心")]),
    "visit_record": ("2026年10月入户走访登记表", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("救助项目", "低保", "", None), ("走访日期", "2026.10.9", "event_date", "2026-10-09"), ("走访人员", "周走访", "organisation", "周走访"), ("发现情况", "收入变化", "status", "收入变化"), ("核实家庭月收入", 820.5, "amount_fen", 82_050)]),
    "review_class": ("核查分类台账", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("核查类别", "B类", "grade", "B类"), ("分类日期", "2026-01-15", "event_date", "2026-01-15"), ("认定单位", "某镇", "organisation", "某镇")]),
    "case_progress": ("社会救助受理台账", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("申请项目", "低保", "kind", "低保"), ("申请日期", "2026-09-28", "valid_from", "2026-09-28"), ("受理日期", "2026-10-08", "event_date", "2026-10-08"), ("启动调查日期", "2026-10-10", "", None), ("公示起", "2026-10-15", "", None), ("公示止", "2026-10-21", "", None), ("暂停原因", "补正材料", "", None)]),
    "account_mending": ("失败账户更正表", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("救助项目", "农村低保", "", None), ("笔号", "P3-17", "certificate_no", "P3-17"), ("处理", "换了账户", "status", "换了账户"), ("新账号", "6217000000000000012", "account_no", "6217000000000000012"), ("新开户银行", "示例农商行", "bank_name", "示例农商行"), ("新户名", "王小红", "related_name", "王小红"), ("户名与本人关系", "同户家人", "relation", "同户家人"), ("核实人", "李核实", "organisation", "李核实"), ("核实日期", "2026-10-28", "event_date", "2026-10-28")]),
    "payee_agreement": ("代领协议名单", [("享受人姓名", "N", "", None), ("享受人身份证号", "I", "", None), ("供养机构名称", "示例区中心敬老院", "related_name", "示例区中心敬老院"), ("收款账号", "6217000000000000012", "account_no", "6217000000000000012"), ("开户银行", "示例农商行", "bank_name", "示例农商行"), ("代领事由", "集中供养", "kind", "集中供养"), ("协议编号", "供2026-01", "certificate_no", "供2026-01"), ("起始日期", "2026-01-01", "valid_from", "2026-01-01"), ("终止日期", "2026-12-31", "valid_to", "2026-12-31"), ("协议状态", "有效", "status", "有效")]),
    "work_refusal": ("拒绝介绍工作记录", [("姓名", "N", "", None), ("身份证号", "I", "", None), ("介绍岗位", "保洁", "organisation", "保洁"), ("拒绝日期", "2026-08-03", "event_date", "2026-08-03"), ("是否接受", "不接受", "kind", "不接受"), ("拒绝理由", "嫌远", "status", "嫌远")]),
}  # fmt: skip


def test_every_register_has_a_case() -> None:
    assert set(REGISTERS) == set(POLICY.registers)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("registers") / "ws")


@pytest.mark.parametrize("code", REGISTERS)
def test_register(ws: Workspace, tmp_path: Path, code: str) -> None:
    title, cells = REGISTERS[code]
    persons = [(name(serial), make_id(serial)) for serial in range(1, 6)]
    said = {"N": 0, "I": 1}

    def row(person: tuple[str, str]) -> list[Any]:
        return [person[said[c]] if c in said else f"{person[1]}42" if c == CERTIFICATE else c for _, c, _, _ in cells]

    path = workbook(tmp_path / f"{title}.xlsx", [header for header, *_ in cells], [row(p) for p in persons])
    result = run_one(ws, path)
    assert (result.kind, result.programme, result.accepted, result.refused) == ("register", code, 5, 0), result.note
    assert not {f.code for f in result.findings if f.severity == "error"} and "column_unknown" not in codes(result)
    with ws.open_store() as store:
        sql = "SELECT r.* FROM register_row r WHERE batch_id = ? ORDER BY row_id"
        rows = [dict(found) for found in store.query(sql, (result.batch,))]
    assert [(found["name"], found["id_no"]) for found in rows] == persons
    for header, _, column, expected in cells:
        if column:
            wanted = f"{persons[0][1]}42" if expected == CERTIFICATE else expected
            assert rows[0][column] == wanted, f"{header} → {column}"


def test_a_hit_of_every_register_says_what_it_means() -> None:
    for register in POLICY.registers.values():
        assert len(register.meaning) > 8 and register.department and register.source and register.fields


def test_a_certificate_of_another_kind_than_its_columns_is_told(ws: Workspace, tmp_path: Path) -> None:
    header = ["姓名", "身份证号", "残疾证号", "残疾类别", "残疾等级"]
    rows = [
        [name(s), make_id(s), f"{make_id(s)}42B1", "视力" if s == 21 else "肢体", "一级" if s == 22 else "二级"]
        for s in range(20, 24)
    ]
    result = run_one(ws, workbook(tmp_path / "残疾人证名单新.xlsx", header, rows))
    assert result.refused == 0
    told = {(f.code, f.source.row) for f in result.findings if f.severity == "warning"}
    assert {("disability_kind_differs", 3), ("disability_grade_differs", 4)} <= told
