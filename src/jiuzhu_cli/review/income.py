"""What households live on (家庭收入定量测算): the lines of income of all households at once, by the rules of ``income.toml``.

The year is the base. A line's year is kept in millionths of 分; a household's lines are added up first, what may be deducted is taken off
(never below nothing), and the year's sum is cut to whole 分 once, at the end. Cutting there changes no decision: standards times twelve
months times persons are whole 分, and a fraction below them neither reaches a standard nor moves an amount that is rounded up.

``build_income`` reads ``person`` and ``register`` and makes

- ``income_case`` (``hk, batch_id, case_no, programme …``): cases with lines; ``income_member`` (``hk, id_no … counts, rule``);
- ``income_line`` (``hk, line_no, id_no, item_no … gross, off, net, rule``) and ``income_off`` (``line_no, rule, amount``), all exact;
- ``measured_income`` (``batch_id, case_no, income12, persons, gap, leads``): ``income12`` is the year in 分, which is twelfths of 分 a month;
  NULL with a ``gap`` when something is wanting: then the roll's own figure stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import last_day
from jiuzhu_cli.policy.income import plain_word
from jiuzhu_cli.review.income_leads import build_leads
from jiuzhu_cli.review.income_rules import SCALE, IncomeRules, by_item, case_of, income_rules
from jiuzhu_cli.review.tariffs import by_income

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

INCOME_REGISTERS = (
    "income_item",
    "household_income",
    "household_member",
    "imprisonment",
    "compulsory_rehab",
    "missing_declared",
)
INCOME_WORDS = frozenset(("家庭月收入", "家庭月收入合计", "家庭人均月收入"))

_EMPTY = """
CREATE TABLE income_case (hk BIGINT, batch_id BIGINT, case_no BIGINT, programme VARCHAR, unit VARCHAR, lead_id VARCHAR, lead_name VARCHAR, town_kind VARCHAR,
  town VARCHAR, village VARCHAR, size BIGINT, stated_fen BIGINT, stated_period VARCHAR, head VARCHAR, month VARCHAR, heads BIGINT, standard_fen BIGINT, wide BOOLEAN);
CREATE TABLE income_member (hk BIGINT, id_no VARCHAR, name VARCHAR, relation VARCHAR, shown_relation VARCHAR, formed BOOLEAN, on_roll BOOLEAN, on_lines BOOLEAN, roll_lists BOOLEAN, age BIGINT, sex VARCHAR,
  grade_no BIGINT, kind_word VARCHAR, ill BOOLEAN, enrolled BOOLEAN, work VARCHAR, circumstance VARCHAR, years BIGINT, together BOOLEAN, prison BOOLEAN,
  rehab BOOLEAN, missing BOOLEAN, dead BOOLEAN, counts BOOLEAN, rule BIGINT);
CREATE TABLE income_line (hk BIGINT, line_no BIGINT, id_no VARCHAR, name VARCHAR, item_no BIGINT, word VARCHAR, amount_fen BIGINT, period VARCHAR, months BIGINT,
  quantity_q BIGINT, year_q HUGEINT, factor_q BIGINT, band BIGINT, problem VARCHAR, deducts BOOLEAN, counts BOOLEAN, excluded BIGINT, gross HUGEINT, off HUGEINT, net HUGEINT);
CREATE TABLE income_off (line_no BIGINT, rule BIGINT, amount HUGEINT);
CREATE TABLE measured_income (batch_id BIGINT, case_no BIGINT, hk BIGINT, income12 BIGINT, gross HUGEINT, minus HUGEINT, persons BIGINT, gap VARCHAR, leads VARCHAR);
"""

# what the registers say, before it is known which case it is for
_RAW = """
CREATE TABLE inc_raw AS
SELECT r.row_id AS id, coalesce(r.related_id_no, '') AS head, r.id_no, r.name, r.month, r.kind AS word, 1 AS detail, r.grade AS told, r.amount_fen,
  CAST(round(TRY_CAST(regexp_extract(replace(r.quantity, ',', ''), '^\\s*([0-9]+(\\.[0-9]+)?)', 1) AS DECIMAL(18,4)) * 10000) AS BIGINT) AS quantity_q,
  coalesce(r.quantity, '') <> '' AS quantified, CAST(NULL AS VARCHAR) AS problem, r.batch_id,
  (r.valid_from IS NULL OR left(r.valid_from, 7) <= '{month}') AND (r.valid_to IS NULL OR left(r.valid_to, 7) >= '{month}') AS holds
FROM register r WHERE r.register = 'income_item' AND r.month <= '{month}';

CREATE TABLE inc_form AS
SELECT r.id_no, coalesce(r.related_id_no, '') AS head, r.name, r.relation AS shown_relation, r.grade AS work, r.status, r.kind AS together, r.month, r.valid_from,
  (r.valid_from IS NULL OR left(r.valid_from, 7) <= '{month}') AND (r.valid_to IS NULL OR left(r.valid_to, 7) >= '{month}') AS holds
FROM register r WHERE r.register = 'household_member' AND r.month <= '{month}';
"""

# a household a row: the columns that are items by their header, and their sum, which also tells the unit
_WIDE = """
INSERT INTO inc_raw
WITH wide AS (
  SELECT r.row_id AS id, r.id_no AS head, r.name, r.month, r.grade AS told, r.batch_id, r.amount_fen AS total, w.item_no, w.deducts, w.header AS word,
    trim(replace(replace(json_extract_string(r.extra, '$."' || w.header || '"'), ',', ''), '，', '')) AS cell
  FROM register r JOIN inc_header w ON json_exists(r.extra, '$."' || w.header || '"')
  WHERE r.register = 'household_income' AND r.month <= '{month}'
), read AS (
  SELECT *, CASE WHEN cell IN ('', '-', '—', '/', '无') THEN 0 ELSE TRY_CAST(cell AS DECIMAL(18,4)) END AS value FROM wide
), summed AS (
  SELECT id, sum(value) FILTER (NOT deducts) AS gross, sum(value) FILTER (deducts) AS minus, bool_or(value IS NULL OR value < 0) AS unread FROM read GROUP BY id
), unit AS (
  SELECT DISTINCT s.id, s.unread, r.total, (SELECT min(f) FROM (SELECT unnest([1, 100, 1000, 10000]) AS f)
    WHERE s.gross * f * 100 = r.total OR (s.gross - coalesce(s.minus, 0)) * f * 100 = r.total) AS factor
  FROM summed s JOIN read r USING (id)
)
SELECT r.id, r.head, r.head, r.name, r.month, r.word, 0, r.told, CAST(r.value * coalesce(u.factor, 1) * 100 AS BIGINT), NULL, false,
  CASE WHEN u.unread THEN '有一列不是金额' WHEN u.total IS NULL THEN '没有合计，不能确定金额单位' WHEN u.factor IS NULL THEN '分项之和与合计不符' END, r.batch_id, true
FROM read r JOIN unit u USING (id)
"""

# cases to be measured: by the lead, else by the one household that lists the lead as a member
_CASES = """
CREATE TABLE inc_listed AS
SELECT id_no, head FROM inc_raw WHERE head <> '' UNION SELECT id_no, head FROM inc_form WHERE head <> '';

CREATE TABLE inc_own_head AS SELECT id_no, min(head) AS head, count(DISTINCT head) AS heads FROM inc_listed GROUP BY id_no;
-- a line that names no household is that of the household that lists its person, else the person's own
UPDATE inc_raw SET head = coalesce((SELECT o.head FROM inc_own_head o WHERE o.id_no = inc_raw.id_no AND o.heads = 1), (
  SELECT min(l.id_no) FROM person p JOIN person l USING (batch_id, case_no) JOIN income_programme i ON i.programme = p.programme
  WHERE p.id_no = inc_raw.id_no AND l.lead = 1 AND i.unit = 'household' HAVING count(DISTINCT l.id_no) = 1), id_no) WHERE head = '';
UPDATE inc_form SET head = coalesce((SELECT o.head FROM inc_own_head o WHERE o.id_no = inc_form.id_no AND o.heads = 1), id_no) WHERE head = '';

CREATE TABLE inc_head AS SELECT head, max(month) AS month, arg_max(detail, month || detail) AS detail FROM inc_raw GROUP BY head;
CREATE TABLE inc_mate AS SELECT id_no, min(head) AS head, count(DISTINCT head) AS heads FROM (
  SELECT l.id_no, l.head FROM inc_raw l JOIN inc_head h ON h.head = l.head AND h.month = l.month
  UNION SELECT f.id_no, f.head FROM inc_form f JOIN inc_head h ON h.head = f.head) GROUP BY id_no;

INSERT INTO income_case
SELECT row_number() OVER (ORDER BY p.batch_id, p.case_no) AS hk, p.batch_id, p.case_no, p.programme, i.unit, p.id_no, p.name,
  coalesce(k.canonical, CASE WHEN p.category IN ('城市', '农村') THEN p.category END), p.town, p.village,
  coalesce(p.household_size, p.covered_persons), p.income_fen, p.income_period,
  coalesce(h.head, m.head), coalesce(h.month, hm.month), CASE WHEN h.head IS NOT NULL THEN 1 ELSE m.heads END, NULL, coalesce(h.detail, hm.detail) = 0
FROM person p JOIN income_programme i USING (programme)
LEFT JOIN category_word k ON k.programme = p.programme AND k.word = p.category
LEFT JOIN inc_head h ON h.head = p.id_no LEFT JOIN inc_mate m ON m.id_no = p.id_no LEFT JOIN inc_head hm ON hm.head = m.head
WHERE p.lead = 1 AND coalesce(h.head, m.head) IS NOT NULL;

CREATE TABLE inc_case_line AS
SELECT c.hk, l.* FROM income_case c JOIN inc_raw l ON l.head = c.head AND l.month = c.month
JOIN inc_head h ON h.head = l.head AND h.detail = l.detail
WHERE c.heads = 1 AND l.holds AND (c.unit = 'household' OR (l.id_no = c.lead_id AND l.detail = 1));
DELETE FROM income_case WHERE unit = 'person' AND heads = 1 AND lead_id NOT IN (SELECT id_no FROM inc_raw WHERE detail = 1);
"""

_MEMBERS = """
CREATE TABLE inc_form_month AS SELECT head, max(month) AS month FROM inc_form GROUP BY head;
CREATE TABLE inc_inside AS
SELECT DISTINCT id_no, register FROM register WHERE register IN ('imprisonment', 'compulsory_rehab', 'missing_declared')
  AND (valid_from IS NULL OR valid_from <= '{last}') AND (valid_to IS NULL OR left(valid_to, 7) >= '{month}');

INSERT INTO income_member
WITH listed AS (
  SELECT c.hk, f.id_no, f.name, f.shown_relation, f.work, CASE WHEN f.holds THEN w.plain END AS circumstance, CASE WHEN f.holds AND w.plain IS NULL AND f.status <> '' THEN f.status END AS odd,
    f.valid_from AS since, CASE WHEN f.together LIKE '否%' OR f.together LIKE '不%' THEN false WHEN f.together LIKE '是%' OR f.together LIKE '长期%' THEN true END AS together, 2 AS weight
  FROM income_case c JOIN inc_form f ON f.head = c.head JOIN inc_form_month n ON n.head = f.head AND n.month = f.month
  LEFT JOIN inc_circumstance_word w ON w.word = f.status WHERE c.unit = 'household' OR f.id_no = c.lead_id
  UNION ALL
  SELECT c.hk, p.id_no, p.name, CASE WHEN p.lead = 1 THEN '本人' ELSE p.relation END, p.work_ability, NULL, NULL, NULL, NULL, 1
  FROM income_case c JOIN person p USING (batch_id, case_no)
  UNION ALL
  SELECT hk, id_no, name, CASE WHEN id_no = head THEN '本人' END, NULL, NULL, NULL, NULL, NULL, 0 FROM inc_case_line
), one AS (
  SELECT hk, id_no, arg_max(name, weight) AS name, arg_max(shown_relation, weight) AS shown_relation, arg_max(work, weight) AS work,
    max(circumstance) AS circumstance, max(odd) AS odd, max(since) FILTER (circumstance IS NOT NULL) AS since, bool_and(together) AS together,
    bool_or(weight = 2) AS formed, bool_or(weight = 1) AS on_roll, bool_or(weight = 0) AS on_lines
  FROM listed GROUP BY hk, id_no
), dated AS (
  SELECT *, CASE WHEN length(id_no) = 18 THEN try_strptime(substr(id_no, 7, 8), '%Y%m%d') END AS born,
    TRY_CAST(CASE length(since) WHEN 4 THEN since || '-01-01' WHEN 7 THEN since || '-01' ELSE since END AS DATE) AS from_day FROM one
)
SELECT d.hk, d.id_no, d.name, coalesce(r.plain, d.shown_relation), d.shown_relation, d.formed, d.on_roll, d.on_lines, coalesce(lf.has_members, false) OR coalesce(bm.many, false),
  year(DATE '{last}') - year(born) - CAST(month(DATE '{last}') * 100 + day(DATE '{last}') < month(born) * 100 + day(born) AS INT),
  CASE WHEN length(d.id_no) = 18 THEN CASE WHEN CAST(substr(d.id_no, 17, 1) AS INT) % 2 = 1 THEN '男' ELSE '女' END END,
  coalesce(p.grade_no, CASE WHEN cf.valid THEN cf.grade END), coalesce(nullif(p.kind_word, '无'), CASE WHEN cf.valid THEN cf.kind END), i.id_no IS NOT NULL OR coalesce(p.ill, false),
  e.id_no IS NOT NULL OR coalesce(d.circumstance LIKE '在校%', false),
  CASE WHEN regexp_matches(d.work, '部分|半') THEN '部分' WHEN regexp_matches(d.work, '无|完全丧失|丧失|没有|不具备') THEN '无' WHEN d.work <> '' THEN '有' END,
  d.circumstance,
  CASE WHEN d.from_day IS NOT NULL THEN year(DATE '{last}') - year(from_day) - CAST(month(DATE '{last}') * 100 + day(DATE '{last}') < month(from_day) * 100 + day(from_day) AS INT) END,
  d.together,
  coalesce(pr.id_no IS NOT NULL OR d.circumstance = '服刑', false), coalesce(rh.id_no IS NOT NULL OR d.circumstance = '强制戒毒', false),
  coalesce(ms.id_no IS NOT NULL OR d.circumstance = '宣告失踪', false),
  coalesce(d.circumstance = '死亡', false) OR coalesce(p.dead, false) OR (de.id_no IS NOT NULL AND (list_contains(de.names, d.name) OR len(de.names) = 0)),
  NULL, NULL
FROM dated d JOIN income_case ic ON ic.hk = d.hk LEFT JOIN list_facts lf ON lf.batch_id = ic.batch_id
LEFT JOIN (SELECT batch_id, bool_or(lead = 0) AS many FROM person GROUP BY batch_id) bm ON bm.batch_id = ic.batch_id
LEFT JOIN inc_relation_word r ON r.word = d.shown_relation
LEFT JOIN (SELECT id_no, min(grade_no) AS grade_no, min(kind_word) AS kind_word, bool_or(listed_ill) AS ill, bool_or(dead) AS dead FROM person GROUP BY id_no) p ON p.id_no = d.id_no
LEFT JOIN certificate cf ON cf.id_no = d.id_no LEFT JOIN ill i ON i.id_no = d.id_no LEFT JOIN enrolled e ON e.id_no = d.id_no
LEFT JOIN death de ON de.id_no = d.id_no
LEFT JOIN inc_inside pr ON pr.id_no = d.id_no AND pr.register = 'imprisonment' LEFT JOIN inc_inside rh ON rh.id_no = d.id_no AND rh.register = 'compulsory_rehab'
LEFT JOIN inc_inside ms ON ms.id_no = d.id_no AND ms.register = 'missing_declared';

CREATE TABLE inc_odd AS
SELECT DISTINCT c.hk, f.name, f.status FROM income_case c JOIN inc_form f ON f.head = c.head JOIN inc_form_month n ON n.head = f.head AND n.month = f.month
LEFT JOIN inc_circumstance_word w ON w.word = f.status WHERE f.status <> '' AND w.plain IS NULL AND (c.unit = 'household' OR f.id_no = c.lead_id);
"""

_LINES = """
CREATE TABLE inc_line AS
SELECT l.hk, row_number() OVER (ORDER BY l.hk, l.id, l.word) AS line_no, l.id_no, l.name, w.item_no, l.word, l.amount_fen,
  CASE WHEN (l.told LIKE '%年%') = (l.told LIKE '%月%') THEN NULL WHEN l.told LIKE '%年%' THEN 'year' WHEN l.told LIKE '%月%' THEN 'month' END AS period,
  CASE WHEN w.months AND l.quantity_q IS NOT NULL THEN l.quantity_q END AS months, l.quantity_q, l.quantified, l.problem, coalesce(w.deducts, false) AS deducts, coalesce(w.nothing, false) AS nothing
FROM inc_case_line l LEFT JOIN inc_item_word w ON w.word = l.word;

CREATE TABLE inc_dated AS
SELECT * EXCLUDE (quantified, problem, nothing),
  CASE WHEN amount_fen = 0 OR (nothing AND amount_fen IS NULL) THEN 0 WHEN period = 'year' THEN CAST(amount_fen AS HUGEINT) * 10000
    WHEN period = 'month' AND months BETWEEN 1 AND 120000 THEN CAST(amount_fen AS HUGEINT) * months WHEN period = 'month' AND months IS NULL THEN CAST(amount_fen AS HUGEINT) * 120000 END AS year_q,
  CASE WHEN problem IS NOT NULL THEN problem WHEN item_no IS NULL THEN '收入项目“' || coalesce(word, '') || '”不认识'
    WHEN quantified AND quantity_q IS NULL THEN '“' || word || '”的数量不是数' WHEN amount_fen < 0 THEN '“' || word || '”的金额是负数'
    WHEN period IS NULL AND amount_fen > 0 THEN '“' || word || '”没有写明按年还是按月'
    WHEN period = 'month' AND months IS NOT NULL AND NOT months BETWEEN 1 AND 120000 THEN '“' || word || '”的月数不在 12 以内' END AS problem
FROM inc_line;
"""


def build_income(
    connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, standards: dict[str, int]
) -> IncomeRules | None:
    """Makes the tables named above for the rolls of ``month``; None (and empty tables) when no household has lines of income.

    ``standards``: 低保标准 in 分 by 城市/农村. Needs the tables of ``eligibility`` up to ``person`` and ``category_word``.
    """
    connection.execute(_EMPTY)
    _clergy(connection, policy, month)
    connection.execute("CREATE TABLE income_programme (programme VARCHAR, unit VARCHAR)")
    asked = [
        (p.code, p.unit) for p in policy.programmes.values()
        if by_income(p) or any(word in rule.expression for rule in p.rules for word in INCOME_WORDS)
    ]  # fmt: skip
    if asked:
        connection.executemany("INSERT INTO income_programme VALUES (?,?)", asked)
    rules = None
    if connection.execute(
        "SELECT count(*) FROM register WHERE register IN ('income_item', 'household_income')"
    ).fetchall()[0][0]:
        rules = _measure(connection, policy, month, standards)
        build_leads(connection, policy, month)
    return rules


def _clergy(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str) -> None:
    """``clergy`` (``id_no, years``): who serves a religious house, by the forms of household members, and for how many full years."""
    plain = "宗教教职"
    words = ", ".join(_quoted(word) for word in (plain, *policy.circumstance_words.get(plain, ())))
    last = last_day(month).isoformat()
    connection.execute(
        f"""CREATE TABLE clergy AS
        SELECT id_no, max(year(DATE '{last}') - year(since) - CAST(month(DATE '{last}') * 100 + day(DATE '{last}') < month(since) * 100 + day(since) AS INT)) AS years
        FROM (SELECT id_no, TRY_CAST(CASE length(valid_from) WHEN 4 THEN valid_from || '-01-01' WHEN 7 THEN valid_from || '-01' ELSE valid_from END AS DATE) AS since
          FROM register WHERE register = 'household_member' AND status IN ({words}) AND month <= '{month}' AND (valid_to IS NULL OR left(valid_to, 7) >= '{month}'))
        WHERE since IS NOT NULL GROUP BY id_no"""
    )


def _measure(
    connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, standards: dict[str, int]
) -> IncomeRules:
    rules = income_rules(policy, month)
    last = last_day(month).isoformat()
    connection.execute(_RAW.format(month=month))
    _words(connection, policy, rules)
    connection.execute(_WIDE.format(month=month))
    connection.execute(_CASES)
    for kind, fen in standards.items():
        connection.execute("UPDATE income_case SET standard_fen = ? WHERE town_kind = ?", [fen, kind])
    connection.execute(_MEMBERS.format(last=last, month=month))
    decided = case_of([(f"coalesce({sql}, false)", index) for index, (sql, _, _) in enumerate(rules.members)])
    counts = case_of([(f"d = {index}", "TRUE" if one else "FALSE") for index, (_, one, _) in enumerate(rules.members)])
    numbers = case_of([(f"d = {index}", rule) for index, (_, _, rule) in enumerate(rules.members)])
    connection.execute(
        f"CREATE TABLE inc_decided AS SELECT hk, id_no, {decided} AS d FROM income_member m JOIN income_case c USING (hk)"
    )
    connection.execute(
        f"CREATE OR REPLACE TABLE income_member AS SELECT m.* REPLACE ({counts} AS counts, {numbers} AS rule) FROM income_member m JOIN inc_decided USING (hk, id_no)"
    )
    connection.execute(_LINES)
    _values(connection, rules)
    _sums(connection, rules)
    for (name,) in connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'inc_')"
    ).fetchall():
        connection.execute(f"DROP TABLE {name}")
    return rules


def _words(connection: duckdb.DuckDBPyConnection, policy: Policy, rules: IncomeRules) -> None:
    """What offices write, each distinct word once: ``inc_item_word``, ``inc_relation_word``, ``inc_circumstance_word``, ``inc_header``."""
    known = policy.income
    items = known.by_word()
    connection.execute(
        "CREATE TABLE inc_item_word (word VARCHAR, item_no BIGINT, months BOOLEAN, deducts BOOLEAN, nothing BOOLEAN)"
    )
    connection.execute("CREATE TABLE inc_header (header VARCHAR, item_no BIGINT, deducts BOOLEAN)")
    connection.execute("CREATE TABLE inc_relation_word (word VARCHAR, plain VARCHAR)")
    connection.execute("CREATE TABLE inc_circumstance_word (word VARCHAR, plain VARCHAR)")

    def distinct(sql: str) -> list[str]:
        return [row[0] for row in connection.execute(sql).fetchall() if row[0]]

    headers = distinct(
        "SELECT DISTINCT unnest(json_keys(extra)) FROM register WHERE register = 'household_income' AND extra IS NOT NULL"
    )
    headers = [word for word in headers if plain_word(word) in items and '"' not in word]
    for word in dict.fromkeys([*distinct("SELECT DISTINCT word FROM inc_raw"), *headers]):
        item = items.get(_flat(word)) or items.get(plain_word(word))
        if item is not None:
            row = (word, rules.numbers[item.id], item.months, item.effect == "deduct", item.id == "none")
            connection.execute("INSERT INTO inc_item_word VALUES (?,?,?,?,?)", row)
    for word in headers:
        item = items[plain_word(word)]
        connection.execute(
            "INSERT INTO inc_header VALUES (?,?,?)", (word, rules.numbers[item.id], item.effect == "deduct")
        )
    texts = {
        "inc_relation_word": (
            known.relations,
            "SELECT DISTINCT shown_relation FROM inc_form UNION SELECT DISTINCT relation FROM person UNION SELECT '本人'",
        ),
        "inc_circumstance_word": (known.circumstances, "SELECT DISTINCT status FROM inc_form"),
    }
    for table, (plain, sql) in texts.items():
        by_text = {plain_word(word): name for name, words in plain.items() for word in words}
        by_text |= {_flat(name): name for name in plain}
        for word in distinct(sql):
            found = by_text.get(_flat(word)) or by_text.get(plain_word(word))
            if found:
                connection.execute(f"INSERT INTO {table} VALUES (?,?)", (word, found))


def _flat(text: str) -> str:
    from jiuzhu_cli.core.text import compact

    return compact(text)


def _values(connection: duckdb.DuckDBPyConnection, rules: IncomeRules) -> None:
    """``income_line``: what was stated and what is imputed, each line's gross, why it is excluded, what is taken off."""
    factor = by_item(
        {item: case_of([(sql, value) for sql, value, _ in bands]) for item, bands in rules.factors.items()}
    )
    band = by_item({item: case_of([(sql, rule) for sql, _, rule in bands]) for item, bands in rules.factors.items()})
    taken = " UNION ALL ".join(
        f"SELECT c.hk, m.id_no, m.name, {item} AS item_no FROM income_case c JOIN income_member m USING (hk), inc_nothing l WHERE c.heads = 1 AND m.counts AND ({sql})"
        f" AND NOT EXISTS (SELECT 1 FROM inc_dated o WHERE o.hk = c.hk AND o.id_no = m.id_no AND o.item_no IN ({_unless(rules, item)}))"
        for item, sql in rules.imputed
    )
    connection.execute(
        "CREATE TABLE inc_nothing AS SELECT CAST(NULL AS HUGEINT) AS year_q, CAST(NULL AS BIGINT) AS quantity_q, CAST(NULL AS BIGINT) AS factor_q"
    )
    if taken:
        deducts = by_item(
            {item: "TRUE" for item, _ in rules.imputed if rules.items[item].effect == "deduct"}, "item_no", "FALSE"
        )
        connection.execute(
            f"INSERT INTO inc_dated SELECT hk, (SELECT coalesce(max(line_no), 0) FROM inc_dated) + row_number() OVER (ORDER BY hk, id_no, item_no), id_no, name, item_no,"
            f" NULL, NULL, NULL, NULL, NULL, {deducts}, NULL, NULL FROM ({taken})"
        )
    excluded = by_item({item: case_of(pieces) for item, pieces in rules.excluded.items() if pieces})
    values = by_item(rules.values, otherwise=f"l.year_q * {SCALE // 10**4}")
    connection.execute(
        f"CREATE TABLE inc_scaled AS SELECT l.*, {factor} AS factor_q, {band} AS band, m.counts FROM inc_dated l JOIN income_case c USING (hk)"
        " JOIN income_member m ON m.hk = l.hk AND m.id_no = l.id_no"
    )
    connection.execute(
        f"""INSERT INTO income_line
        SELECT l.hk, l.line_no, l.id_no, l.name, l.item_no, l.word, l.amount_fen, l.period, l.months, l.quantity_q, l.year_q, l.factor_q, l.band, l.problem,
          l.deducts, coalesce(m.counts, false), {excluded}, CASE WHEN ({values}) < 0 THEN 0 ELSE {values} END, 0, NULL
        FROM inc_scaled l JOIN income_case c USING (hk) JOIN income_member m ON m.hk = l.hk AND m.id_no = l.id_no"""
    )
    for item, condition, amount, rule in rules.off:
        connection.execute(
            f"INSERT INTO income_off SELECT l.line_no, {rule}, greatest(0, {amount}) FROM income_line l JOIN income_case c USING (hk)"
            f" JOIN income_member m ON m.hk = l.hk AND m.id_no = l.id_no WHERE l.item_no = {item} AND l.counts AND l.excluded IS NULL AND ({condition})"
        )
    # no more is taken off a line than it comes to, the first rule first
    connection.execute(
        """CREATE OR REPLACE TABLE income_off AS
        WITH running AS (
          SELECT o.line_no, o.rule, o.amount, l.gross, coalesce(sum(o.amount) OVER (PARTITION BY o.line_no ORDER BY o.rule ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
          FROM income_off o JOIN income_line l USING (line_no))
        SELECT line_no, rule, CAST(greatest(0, least(amount, gross - before)) AS HUGEINT) AS amount FROM running WHERE amount > 0"""
    )
    connection.execute(
        """CREATE OR REPLACE TABLE income_line AS
        SELECT l.* REPLACE (coalesce(o.off, 0) AS off, l.gross - coalesce(o.off, 0) AS net)
        FROM income_line l LEFT JOIN (SELECT line_no, CAST(sum(amount) AS HUGEINT) AS off FROM income_off GROUP BY line_no) o USING (line_no)"""
    )


def _unless(rules: IncomeRules, item: int) -> str:
    return ", ".join(str(rules.numbers[name]) for name in rules.items[item].unless if name in rules.numbers) or "-1"


def _sums(connection: duckdb.DuckDBPyConnection, rules: IncomeRules) -> None:
    """``measured_income``: a row a case, the sums and what is wanting."""
    wanting = by_item({item: _quoted(f"“{rules.items[item].name}”{text}") for item, text in rules.wanting.items()})
    connection.execute(
        f"""CREATE TABLE inc_gap AS
        SELECT hk, '本人同时列在几户的收入核算里' AS text FROM income_case WHERE heads > 1
        UNION ALL SELECT hk, '收入明细在当月都已到期' FROM income_case WHERE heads = 1 AND hk NOT IN (SELECT hk FROM income_line)
        UNION ALL SELECT l.hk, l.name || '：' || coalesce(l.problem, {wanting}, '“' || coalesce(l.word, '') || '”没有写金额，也不能推算')
          FROM income_line l WHERE l.problem IS NOT NULL OR (l.gross IS NULL AND l.counts AND l.excluded IS NULL)
        UNION ALL SELECT hk, name || '（' || coalesce(shown_relation, '关系未写') || '）是否计入家庭成员不能确定' FROM income_member WHERE counts IS NULL
        UNION ALL SELECT hk, any_value(name) || '的“' || any_value(word) || '”在两份表里都有' FROM inc_case_line
          GROUP BY hk, id_no, word HAVING count(DISTINCT batch_id) > 1
        UNION ALL SELECT hk, name || '的人员情况“' || status || '”不认识' FROM inc_odd"""
    )
    connection.execute(
        f"""INSERT INTO measured_income
        WITH total AS (
          SELECT hk, coalesce(sum(net) FILTER (NOT deducts AND counts AND excluded IS NULL), 0) AS gross,
            coalesce(sum(net) FILTER (deducts AND counts AND excluded IS NULL), 0) AS minus FROM income_line GROUP BY hk
        ), people AS (
          -- the dead of the roll are still in its figures: review takes them off itself
          SELECT hk, count(*) FILTER (counts OR (dead AND on_roll)) AS counted, count(*) FILTER (on_roll AND counts = false AND NOT dead) AS not_counted, bool_or(formed) AS formed
          FROM income_member GROUP BY hk
        ), wanting AS (SELECT hk, string_agg(DISTINCT text, '；' ORDER BY text) AS gap FROM inc_gap GROUP BY hk)
        SELECT c.batch_id, c.case_no, c.hk, CASE WHEN w.gap IS NULL THEN CAST(greatest(0, t.gross - t.minus) // {SCALE} AS BIGINT) END, t.gross, t.minus,
          CASE WHEN c.unit = 'person' OR w.gap IS NOT NULL THEN NULL WHEN p.formed THEN p.counted WHEN p.not_counted > 0 THEN greatest(1, c.size - p.not_counted) END, w.gap, NULL
        FROM income_case c LEFT JOIN total t USING (hk) LEFT JOIN people p USING (hk) LEFT JOIN wanting w USING (hk)"""
    )


def used_rules(connection: duckdb.DuckDBPyConnection, rules: IncomeRules) -> list[int]:
    """Numbers of the rules that some household's line or member was decided by."""
    by_rule = [(item, rule) for item, rule in rules.item_rule.items()]
    values = ", ".join(f"({item}, {rule})" for item, rule in by_rule) or "(-1, -1)"
    rows = connection.execute(
        f"""SELECT DISTINCT rule FROM (
          SELECT i.rule FROM income_line l JOIN (VALUES {values}) i (item_no, rule) USING (item_no) WHERE l.counts AND l.excluded IS NULL
          UNION ALL SELECT excluded FROM income_line WHERE counts UNION ALL SELECT band FROM income_line WHERE counts AND excluded IS NULL
          UNION ALL SELECT rule FROM income_off UNION ALL SELECT rule FROM income_member) WHERE rule IS NOT NULL ORDER BY rule"""
    ).fetchall()
    return [row[0] for row in rows]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
