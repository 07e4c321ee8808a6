"""What the columns of ledgers are called: titles, columns and header synonyms per programme (policy reference, appendix D)."""

from __future__ import annotations

from dataclasses import dataclass

HOUSEHOLD_PROGRAMMES = ("subsistence_allowance", "low_income_margin", "rigid_expenditure")
CASE_FIELDS = frozenset(
    "serial case_code head_name head_id_no household_size covered_persons income amount base addon account_no bank_name "
    "payee_name phone address village town start_month cause kin_filed category assets".split()
)


@dataclass(frozen=True, slots=True)
class Form:
    """How lists of one programme are titled, and their columns in order. ``optional`` columns may be left out."""

    titles: tuple[str, ...]
    word: str  # everyday word in file and sheet names
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()


FORMS: dict[str, Form] = {
    "subsistence_allowance": Form(
        ("{城乡}最低生活保障金发放花名册", "{城乡}低保对象花名册", "{城乡}低保金发放明细表"),
        "{城乡}低保",
        tuple("case_code village head_name head_id_no name id_no relation household_size covered_persons income amount bank_name account_no "
              "phone address start_month cause work_ability kin_filed remark".split()),
        ("case_code", "address", "cause", "work_ability", "kin_filed", "phone", "start_month", "remark"),
    ),
    "low_income_margin": Form(
        ("最低生活保障边缘家庭名册", "低保边缘家庭花名册"), "低保边缘",
        tuple("village head_name head_id_no name id_no relation household_size covered_persons income phone address cause remark".split()),
        ("phone", "address", "cause", "remark"),
    ),
    "rigid_expenditure": Form(
        ("刚性支出困难家庭名册",), "刚性支出困难家庭",
        tuple("town village head_name head_id_no name id_no relation household_size income cause start_month remark".split()),
        ("remark", "start_month"),
    ),
    "extreme_poverty_support": Form(
        ("特困人员救助供养资金发放表", "特困供养人员花名册"), "特困",
        tuple("village name id_no category care_mode self_care base care amount bank_name account_no payee_name phone start_month remark".split()),
        ("phone", "start_month", "remark", "category"),
    ),
    "disability_living_subsidy": Form(
        ("困难残疾人生活补贴发放名册", "困难残疾人生活补贴花名册"), "困难残疾人生活补贴",
        tuple("town village name id_no disability_no disability_kind disability_grade amount bank_name account_no payee_name phone remark".split()),
        ("disability_no", "phone", "remark"),
    ),
    "disability_care_subsidy": Form(
        ("重度残疾人护理补贴发放名册", "重度残疾人护理补贴花名册"), "重度残疾人护理补贴",
        tuple("town village name id_no disability_no disability_kind disability_grade amount bank_name account_no payee_name phone remark".split()),
        ("disability_no", "phone", "remark"),
    ),
    "old_age_allowance": Form(
        ("高龄津贴发放花名册", "高龄老人津贴发放表"), "高龄津贴",
        tuple("village name id_no phone address amount bank_name account_no claimed_status remark".split()),
        ("remark", "phone"),
    ),
    "temporary_assistance": Form(
        ("临时救助发放名册", "临时救助花名册"), "临时救助",
        tuple("town village name id_no household_size category cause amount event_date bank_name account_no phone remark".split()),
        ("phone", "remark"),
    ),
    "dilapidated_house_renovation": Form(
        ("农村危房改造农户名册", "农村危房改造补助资金发放表"), "农村危房改造",
        tuple("town village name id_no claimed_status household_size grade stage amount event_date bank_name account_no phone remark".split()),
        ("phone", "remark"),
    ),
    "orphan_allowance": Form(("孤儿基本生活费发放名册",), "孤儿基本生活费", tuple("town village name id_no amount bank_name account_no payee_name phone remark".split()), ("remark",)),
    "de_facto_orphan_allowance": Form(
        ("事实无人抚养儿童基本生活补贴发放名册",), "事实无人抚养儿童", tuple("town village name id_no amount bank_name account_no payee_name phone remark".split()), ("remark",),
    ),
    "elder_care_subsidy": Form(("养老护理补贴发放名册",), "养老护理补贴", tuple("town village name id_no amount bank_name account_no phone remark".split()), ("remark",)),
}  # fmt: skip

SYNONYMS: dict[str, tuple[str, ...]] = {
    "serial": ("序号", "编号"),
    "case_code": ("低保证号", "家庭编号"),
    "town": ("乡镇", "镇街", "乡镇（街道）", "所属街道", "所属镇（街道）"),
    "village": ("村（社区）", "村（居）", "村居", "村组", "行政村"),
    "head_name": ("户主姓名", "户主", "申请人", "申请人姓名"),
    "head_id_no": ("户主身份证号", "户主身份证号码", "申请人身份证号"),
    "name": ("姓名", "成员姓名", "保障对象姓名", "对象姓名"),
    "id_no": ("身份证号", "身份证号码", "公民身份号码", "证件号码", "身份证", "公民身份证号码"),
    "relation": ("与户主关系", "家庭关系", "称谓", "与申请人关系"),
    "member_names": ("家庭成员姓名", "共同生活成员姓名", "家庭成员"),
    "member_ids": ("家庭成员身份证号", "共同生活成员身份证号", "家庭成员身份证号码"),
    "household_size": ("家庭人口", "家庭人口数", "家庭人口（人）"),
    "covered_persons": ("保障人口", "保障人口数", "享受人数"),
    "income": ("家庭月收入（元）", "家庭月收入", "家庭月总收入（元）"),
    "income_year": ("家庭年收入（元）", "家庭年收入", "家庭年总收入（元）"),
    "amount": ("发放金额", "实发金额（元）", "补贴金额", "补贴金额（元）", "发放金额（元）"),
    "amount_household": ("户月保障金额（元）", "保障金额（元）", "月保障金额", "月保障金（元）", "低保金（元）"),
    "amount_repeated": ("户月保障金额（元）", "户月保障金额"),
    "amount_extreme": ("合计（元）", "发放合计（元）", "发放合计"),
    "base": ("基本生活费（元）", "基本生活总费用（元）", "基本生活标准（元）"),
    "care": ("照料护理费（元）", "照料护理总费用（元）", "照料护理补贴（元）"),
    "bank_name": ("开户银行", "开户行", "银行名称"),
    "account_no": ("银行账号", "银行帐号", "银行卡号", "一卡通账号", "社保卡号", "存折账号"),
    "payee_name": ("账户名称", "户名", "银行账户名称", "领款人"),
    "phone": ("联系电话", "手机号", "联系方式"),
    "address": ("家庭住址", "住址", "户籍地址"),
    "start_month": ("起始保障年月", "最初享受月份", "最初享受月"),
    "cause": ("致贫原因", "主要致贫原因", "申请原因"),
    "work_ability": ("劳动能力",),
    "kin_filed": ("是否近亲属备案", "近亲属备案"),
    "category": ("救助类型", "保障类别"),
    "care_mode": ("供养方式",),
    "self_care": ("生活自理能力", "自理能力"),
    "disability_no": ("残疾证号", "残疾人证号"),
    "disability_kind": ("残疾类别",),
    "disability_grade": ("残疾等级",),
    "claimed_status": ("人员类型", "人员类别"),
    "claimed_house": ("农户类型", "对象类别", "农户类别"),
    "grade": ("危房等级", "房屋危险等级"),
    "stage": ("工程进度", "改造进度"),
    "event_date": ("审批日期", "救助时间", "审批时间"),
    "event_house": ("开工日期", "竣工日期", "验收日期"),
    "remark": ("备注",),
    "ethnicity": ("民族",),
    "education": ("文化程度",),
    "helper": ("帮扶责任人",),
    "death_date": ("死亡日期", "死亡时间"),
    "cancel_date": ("注销日期", "户口注销日期"),
    "dead_name": ("姓名", "逝者姓名", "死者姓名"),
    "valid_to": ("有效期至", "有效期止"),
    "issue_date": ("发证日期", "批准日期"),
    "status": ("状态", "证件状态"),
    "staff_name": ("经办人员姓名", "干部姓名"),
    "staff_id": ("经办人员身份证号", "干部身份证号"),
    "organisation": ("工作单位", "单位及职务"),
    "kin_name": ("亲属姓名", "近亲属姓名"),
    "kin_id": ("亲属身份证号", "近亲属身份证号"),
    "kin_relation": ("关系", "与亲属关系"),
    "filed_on": ("备案日期", "备案时间"),
}

# two-row headers: the band over the columns
BANDS: dict[str, tuple[str, ...]] = {
    "家庭基本情况": ("head_name", "head_id_no", "household_size", "covered_persons", "income", "address", "phone"),
    "人员信息": ("name", "id_no", "relation", "disability_no", "disability_kind", "disability_grade"),
    "发放信息": ("base", "care", "amount", "bank_name", "account_no", "payee_name"),
}

SELF_CARE_WORDS = (
    {"自理": "自理", "半护理": "半护理", "全护理": "全护理"},
    {"自理": "全自理", "半护理": "半自理", "全护理": "不能自理"},
    {"自理": "具备生活自理能力", "半护理": "部分丧失生活自理能力", "全护理": "完全丧失生活自理能力"},
)

NOISE_COLUMNS = ("ethnicity", "education", "helper")


def header_key(field: str, programme: str, *, yearly_income: bool, repeated: bool = False) -> str:
    """Which synonym list a field uses. ``repeated``: household figures stand on every member's row, so the header must say
    that they are the household's."""
    if field == "amount" and programme in HOUSEHOLD_PROGRAMMES:
        return "amount_repeated" if repeated else "amount_household"
    if field == "amount" and programme == "extreme_poverty_support":
        return "amount_extreme"
    if field == "income" and yearly_income:
        return "income_year"
    if programme == "dilapidated_house_renovation":
        return {"claimed_status": "claimed_house", "event_date": "event_house"}.get(field, field)
    return field
