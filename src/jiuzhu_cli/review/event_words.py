"""The words of events as SQL: columns over ``p`` (a row of ``person``), ``f`` (its case, ``facts``), ``l`` (a register's line), ``s`` (sums of
the lines that count) and the small tables beside them, made only when a rule asks for their words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import first_day, last_day
from jiuzhu_cli.ledger.circumstances import ENDED, LAPSED, LEFT_SCHOOL_SQL, MOVED_AWAY, at_school, months_of
from jiuzhu_cli.policy.expression import Ratio, fen
from jiuzhu_cli.review.eligibility import INVALID_CERTIFICATE, WORDS

if TYPE_CHECKING:
    import duckdb

Columns = Mapping[str, "str | Ratio"]

# stages by what lists write in 学段, 年级 and the school's name; the longer word first
_STAGE = """CASE WHEN regexp_matches({t}, '研究生|硕士|博士') THEN '研究生' WHEN regexp_matches({t}, '大专|高职|专科|职业技术学院|职业学院') THEN '大专'
  WHEN regexp_matches({t}, '中职|中专|职高|技校|中等职业|职业高中|技工|职业中') THEN '中职' WHEN regexp_matches({t}, '高中|高级中学|高[一二三]') THEN '高中'
  WHEN regexp_matches({t}, '初中|初级中学|初[一二三]|[七八九]年级|义务') THEN '初中' WHEN regexp_matches({t}, '小学|[一二三四五六]年级') THEN '小学'
  WHEN regexp_matches({t}, '幼儿|学前|托班') THEN '学前' WHEN regexp_matches({t}, '本科|大学|学院|大[一二三四]') THEN '本科' WHEN {t} LIKE '%中学%' THEN '初中' END"""

_SCHOOL = f"""
CREATE TABLE school AS
WITH line AS (
  SELECT row_id, id_no, coalesce(kind, '') || ' ' || coalesce(grade, '') || ' ' || coalesce(organisation, '') AS told, valid_to
  FROM register, span WHERE {at_school("span.last_day")})
SELECT id_no, arg_max(row_id, coalesce(valid_to, '')) AS line, arg_max({_STAGE.format(t="told")}, coalesce(valid_to, '')) AS stage,
  {months_of("max(nullif(valid_to, ''))")} - (SELECT {months_of("month")} FROM span) AS left_months
FROM line GROUP BY id_no
"""
_PAPER = f"""
CREATE TABLE paper AS
SELECT id_no, arg_max(row_id, valid_to) AS line, {months_of("max(valid_to)")} - (SELECT {months_of("month")} FROM span) AS left_months
FROM register, span WHERE register = 'disability_certificate' AND valid_to >= span.first_day AND coalesce(valid_from, '') <= span.last_day
  AND NOT regexp_matches(coalesce(status, ''), '{INVALID_CERTIFICATE}')
  AND NOT EXISTS (SELECT 1 FROM register w WHERE w.register = 'disability_certificate' AND w.id_no = register.id_no AND coalesce(w.valid_to, '') = ''
    AND NOT regexp_matches(coalesce(w.status, ''), '{INVALID_CERTIFICATE}'))
GROUP BY id_no
"""
# Somebody on last month's roll of a programme, in whatever town; the case is known again by its lead.
_BEFORE = """
CREATE TABLE before_person AS SELECT DISTINCT programme, id_no FROM previous;
CREATE TABLE before_case AS
SELECT v.programme, v.id_no, max(v.amount_fen) AS amount_fen, bool_or(m.members OR coalesce(v.persons, 1) = 1) AS members FROM previous v
JOIN (SELECT batch_id, bool_or(lead = 0) AS members FROM previous GROUP BY batch_id) m USING (batch_id) WHERE v.lead = 1 GROUP BY v.programme, v.id_no;
CREATE TABLE before_town AS
SELECT DISTINCT f.programme, f.town FROM facts f JOIN previous_cover c ON c.programme = f.programme AND (c.area = '' OR c.area = f.town OR starts_with(c.area, f.town || '/'));
"""


_MATE = "CREATE TABLE mate AS SELECT DISTINCT batch_id, case_no, id_no FROM person"


@dataclass(frozen=True, slots=True)
class Beside:
    """A small table beside the person: ``create``, and how a row of ``p`` (and ``f``) finds its row."""

    table: str
    create: str
    joined: str
    of_case: bool = False


_BY_ID = "LEFT JOIN {t} ON {t}.id_no = p.id_no"
BESIDE = (
    Beside("lapsed", LAPSED, _BY_ID.format(t="lapsed")),
    Beside("moved", MOVED_AWAY, _BY_ID.format(t="moved")),
    Beside("left_school", LEFT_SCHOOL_SQL, _BY_ID.format(t="left_school")),
    Beside("school", _SCHOOL, _BY_ID.format(t="school")),
    Beside("paper", _PAPER, _BY_ID.format(t="paper")),
    Beside(
        "before_person",
        _BEFORE,
        "LEFT JOIN before_person ON before_person.programme = f.programme AND before_person.id_no = p.id_no"
        " LEFT JOIN before_case ON before_case.programme = f.programme AND before_case.id_no = f.id_no"
        " LEFT JOIN before_town ON before_town.programme = f.programme AND before_town.town = f.town",
        of_case=True,
    ),
    Beside(
        "mate",
        _MATE,
        "LEFT JOIN mate ON mate.batch_id = f.batch_id AND mate.case_no = f.case_no AND mate.id_no = l.related_id_no",
        of_case=True,
    ),
    # made by ``review.certifying``
    Beside("certified", "", "LEFT JOIN certified ON certified.key = f.key", of_case=True),
    # ``grace`` is made by ``review.grace`` from the decisions
    Beside("grace", "", "LEFT JOIN grace ON grace.key = f.key", of_case=True),
)
# the registers of which these tables are made, by word
REGISTER_OF = {
    "残疾证失效月数": "disability_certificate", "换证间隔月数": "disability_certificate", "残疾证剩余月数": "disability_certificate",
    "持残疾证": "disability_certificate", "户籍变动": "household_registration", "户籍变动月数": "household_registration",
    "学段": "school_enrolment", "毕业剩余月数": "school_enrolment", "学籍结束月数": "school_enrolment", "在读": "school_enrolment",
    "重病": "severe_illness", "危房等级": "dilapidated_house_survey", "认证间隔月数": "visit_record", "认证开展月数": "visit_record", "死亡": "death",
}  # fmt: skip

_PERSON: dict[str, str | Ratio] = {
    "年龄": "p.age", "性别": "p.sex", "持残疾证": "p.certified", "残疾等级": "p.grade_no", "残疾类别": "p.kind_word", "重病": "p.listed_ill",
    "在读": "p.enrolled", "危房等级": "p.house", "月龄": "p.age_months", "本月满": "CASE WHEN p.age_months % 12 = 0 THEN p.age_months // 12 WHEN p.age_months IS NOT NULL THEN 0 END",
    "死亡": "p.dead", "去世月数": f"(SELECT {months_of('month')} FROM span) - {months_of('p.died')}", "户籍变动": "moved.how", "户籍变动月数": "moved.months", "残疾证失效月数": "lapsed.months", "换证间隔月数": "lapsed.renewal",
    "残疾证剩余月数": "paper.left_months", "学段": "school.stage", "毕业剩余月数": "school.left_months", "学籍结束月数": "left_school.months",
}  # fmt: skip


def _of_case(column: str | Ratio) -> str | Ratio:
    """A column of ``facts`` as eligibility names it, said to be of ``f``."""
    if isinstance(column, Ratio):
        return Ratio(_named(column.over), _named(column.under))
    return _named(column)


def _named(sql: str) -> str:
    return re.sub(r"\b[a-z][a-z_0-9]*\b", r"f.\g<0>", sql)


_STANDING: dict[str, str | Ratio] = {
    "自理能力": "p.care_word", "劳动能力": "p.work_ability", "对象类型": "p.claimed_status",
    "户主": "(p.lead = 1)", "与户主关系": "p.relation", "享受月数": f"(SELECT {months_of('month')} FROM span) - {months_of('f.start_month')}",
    "上月已导入": "before_town.town IS NOT NULL", "上月在册": "before_person.id_no IS NOT NULL",
    "上月本户在册": "before_case.id_no IS NOT NULL", "上月列出成员": "coalesce(before_case.members, false)", "上月发放金额": fen("before_case.amount_fen"),
    "认证间隔月数": "certified.months", "认证开展月数": "certified.begun",
    "渐退中": "coalesce(grace.left_months >= 0, false)", "渐退期满": "coalesce(grace.left_months < 0, false)", "渐退剩余月数": "grace.left_months",
}  # fmt: skip
PERSON_COLUMNS: Columns = _PERSON
CASE_COLUMNS: Columns = {word: _of_case(column) for word, column in WORDS.items()} | _PERSON | _STANDING


LINE_COLUMNS: dict[str, str | Ratio] = {
    "名单有效": "l.valid", "名单种类": "l.kind", "名单状态": "l.status", "名单等级": "l.grade", "名单单位": "l.organisation", "名单关系": "l.relation",
    "名单最新": "l.latest", "名单最后": "l.last", "相关人在本户": "CASE WHEN l.related_id_no IS NOT NULL THEN mate.id_no IS NOT NULL END",
    "名单姓名相符": "(l.name = p.name)", "名单金额": fen("l.amount_fen"), "名单起始日期": "l.valid_from", "名单截止日期": "l.valid_to",
    "名单发生日期": "l.event_date", "起始月数": "l.from_months", "截止月数": "l.to_months", "发生月数": "l.event_months",
}  # fmt: skip
SUM_COLUMNS: Columns = {
    "本人笔数": "s.own_count", "本人合计": fen("s.own_fen"), "全户笔数": "s.case_count", "全户合计": fen("s.case_fen"),
    "全户人均合计": Ratio("s.case_fen", "100 * f.size"),
}  # fmt: skip
GONE_COLUMNS: Columns = {
    "死亡": "g.dead", "整户": "g.whole", "户主": "(g.lead = 1)", "户主死亡": "g.head_dead", "上月发放金额": fen("g.amount_fen"), "已有决定": "g.decided", "停旧建新": "g.moved",
}  # fmt: skip


def beside(columns: Columns, words: Iterable[str]) -> list[Beside]:
    """The tables that these words need, in a fixed order."""
    texts = [
        column if isinstance(column, str) else f"{column.over} {column.under}"
        for word in words
        if (column := columns.get(word)) is not None
    ]
    return [one for one in BESIDE if any(f"{one.table}." in text for text in texts)
            or (one.table == "before_person" and any("before_" in text for text in texts))]  # fmt: skip


def make_beside(connection: duckdb.DuckDBPyConnection, wanted: Iterable[Beside]) -> None:
    """Makes those of the tables that are not there yet; ``span`` is the month."""
    for one in dict.fromkeys(wanted):
        if one.create:
            connection.execute(one.create.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS "))


def make_span(connection: duckdb.DuckDBPyConnection, month: str) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS span (month VARCHAR, first_day VARCHAR, last_day VARCHAR)")
    connection.execute("DELETE FROM span")
    connection.execute(
        "INSERT INTO span VALUES (?,?,?)", [month, first_day(month).isoformat(), last_day(month).isoformat()]
    )


# windows only over the registers whose rules ask for the newest line; a status is looked at once, not in each line
_LINES = f"""
CREATE TABLE line AS
WITH placed AS (
  SELECT p.id_no, p.row_id AS person_row, f.key, f.programme FROM person p JOIN facts f ON f.batch_id = p.batch_id AND f.case_no = p.case_no
), list AS (
  -- of a register that tells all there is on its day only the last list of an area counts, up to the month of review where there is one
  SELECT register, batch_id, NOT snapshot OR dense_rank() OVER (PARTITION BY register, area ORDER BY month <= '{{month}}' DESC,
    CASE WHEN month <= '{{month}}' THEN month END DESC, month) = 1 AS counts
  FROM (SELECT DISTINCT r.register, r.batch_id, r.month, w.snapshot, coalesce(o.area, '') AS area FROM (SELECT DISTINCT register, batch_id, month FROM register) r
    JOIN wanted_register w USING (register) LEFT JOIN origin o ON o.kind = 'register' AND o.batch_id = r.batch_id)
), told AS (
  SELECT row_id, batch_id, register, month, id_no, name, kind, status, grade, organisation, relation, related_id_no, amount_fen, certificate_no, valid_from, valid_to,
    event_date, {{extra}} AS extra FROM register
  -- in a list of couples either party stands in the line
  UNION ALL
  SELECT row_id, batch_id, register, month, related_id_no, coalesce(related_name, ''), kind, status, grade, organisation, relation, id_no, amount_fen, certificate_no,
    valid_from, valid_to, event_date, {{extra}} FROM register JOIN wanted_register w USING (register) WHERE w.mutual AND related_id_no <> '' AND related_id_no <> id_no
), ended AS (
  SELECT coalesce(status, '') AS status, regexp_matches(coalesce(status, ''), '{ENDED}') AS ended FROM (SELECT DISTINCT status FROM register)
), read AS (
  SELECT r.row_id, r.register, r.month, w.dated, w.repeated, c.person_row, c.key, c.programme, r.id_no, r.name, coalesce(r.kind, '') AS kind, e.status,
    coalesce(r.grade, '') AS grade, coalesce(r.organisation, '') AS organisation, coalesce(r.relation, '') AS relation,
    nullif(r.related_id_no, '') AS related_id_no, r.amount_fen, r.certificate_no, nullif(r.valid_from, '') AS valid_from,
    nullif(r.valid_to, '') AS valid_to, nullif(r.event_date, '') AS event_date, r.extra,
    coalesce(nullif(r.valid_from, ''), CASE WHEN NOT w.ends THEN nullif(r.event_date, '') END, '0000') <= '{{last}}'
      AND coalesce(nullif(r.valid_to, ''), CASE WHEN w.ends THEN nullif(r.event_date, '') END, '9999') >= '{{last}}' AND NOT e.ended AS valid,
    {{month_index}} - {months_of("r.valid_from")} AS from_months, {{month_index}} - {months_of("r.valid_to")} AS to_months,
    {{month_index}} - {months_of("r.event_date")} AS event_months
  FROM told r JOIN wanted_register w USING (register) JOIN placed c ON c.id_no = r.id_no JOIN ended e ON e.status = coalesce(r.status, '')
    JOIN list b ON b.register = r.register AND b.batch_id = r.batch_id AND b.counts
), once AS (
  -- what several lists tell alike is one line
  SELECT * FROM read WHERE NOT repeated
  UNION ALL
  SELECT * FROM read WHERE repeated
  QUALIFY row_number() OVER (PARTITION BY register, person_row, certificate_no, organisation, kind, valid_from, valid_to, event_date, amount_fen ORDER BY row_id) = 1
)
SELECT * EXCLUDE (month, dated, repeated), CAST(NULL AS BOOLEAN) AS latest, CAST(NULL AS BOOLEAN) AS last FROM once WHERE NOT dated
UNION ALL
SELECT * EXCLUDE (month, dated, repeated),
  coalesce(event_date, '') || month = max(coalesce(event_date, '') || month) OVER (PARTITION BY register, person_row, organisation),
  row_number() OVER (PARTITION BY register, person_row ORDER BY coalesce(event_date, valid_from, '') DESC, row_id DESC) = 1
FROM once WHERE dated
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a register's lines are read: ``ends`` its event is an end, ``mutual`` both parties stand in a line, ``snapshot`` a list tells all
    there is, ``dated`` the newest line is asked for."""

    ends: bool
    mutual: bool
    snapshot: bool
    dated: bool


def make_lines(
    connection: duckdb.DuckDBPyConnection, month: str, registers: Mapping[str, Wanted], *, extra: Collection[str]
) -> None:
    """``line``: the lines of ``registers`` about people on the month's rolls, one row a line and place of the person (``person_row, key,
    programme``). ``extra``: registers of which further columns are read."""
    connection.execute(
        "CREATE TABLE wanted_register (register VARCHAR, ends BOOLEAN, mutual BOOLEAN, snapshot BOOLEAN, dated BOOLEAN, repeated BOOLEAN)"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS origin (kind VARCHAR, batch_id BIGINT, table_no BIGINT, programme VARCHAR, area VARCHAR, month VARCHAR,"
        " file_name VARCHAR, sheet VARCHAR)"
    )
    several = {
        row[0]
        for row in connection.execute(
            "SELECT register FROM register GROUP BY register HAVING min(batch_id) <> max(batch_id)"
        ).fetchall()
    }
    if registers:
        connection.executemany(
            "INSERT INTO wanted_register VALUES (?,?,?,?,?,?)",
            [[code, one.ends, one.mutual, one.snapshot, one.dated, code in several] for code, one in registers.items()],
        )
    connection.execute(
        _LINES.format(
            last=last_day(month).isoformat(), month=month, month_index=int(month[:4]) * 12 + int(month[5:]),
            extra=f"CASE WHEN register IN ({', '.join(repr(code) for code in sorted(extra))}) THEN extra END" if extra else "CAST(NULL AS VARCHAR)",
        )
    )  # fmt: skip
