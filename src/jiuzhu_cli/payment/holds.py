"""Why a case is held back (拦下): one SQL query a reason, over the tables that ``plan.prepare`` makes in DuckDB.

Tables: ``candidate`` (one row a case to pay: ``n``, programme, area, town, village, recipient, recipient_name, item, due_fen,
row_id, account_no, bank, ...), ``member`` (``n, id_no``: every person of the case), ``side`` (the doubts, one row a side),
``decision``, ``posting``, ``objection``, ``dead``, ``owed``, ``one_off``, ``route``, ``unfit``, ``changed``, ``late``, ``setting``.
Each query gives ``n, reason, source``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """``releasable``: ``--override REASON`` lets the case through; ``todo`` tells the clerk how to mend it."""

    code: str
    name: str
    sql: str
    todo: str
    releasable: bool = False
    needs: str = (
        ""  # a table that the query joins: when it is empty nothing is held, and DuckDB need not plan the query
    )


# a side of a doubt is this case's when one of its persons and its programme are named; where both sides are the same
# person and programme (one programme in two towns) only the area tells them apart
_SIDE = """
SELECT DISTINCT c.n, s.doubt_id, s.effect, s.disposed_at
FROM side s JOIN member m ON m.id_no = s.id_no JOIN candidate c ON c.n = m.n AND s.programme = c.programme
WHERE NOT s.twin OR s.area IN (c.area, c.town, c.town || '/' || c.village)
"""

HOLDS = (
    Hold(
        "dead",
        "已死亡",
        # the month of death is still paid (dedupe's ``after_event`` has the same rule); a death without a day holds every month
        "SELECT c.n, '死亡登记' || coalesce(' ' || d.event_date, '') AS reason, '' AS source FROM"
        " (SELECT n, month, recipient AS id_no FROM candidate UNION SELECT n, month, payee_id_no FROM candidate) c JOIN dead d USING (id_no)"
        " WHERE d.event_date IS NULL OR c.month > substr(d.event_date, 1, 7)",
        "核实后停发；确属登记错误的，更正死亡名单后重新导入",
        needs="dead",
    ),
    Hold(
        "doubt_confirmed",
        "疑点已确认",
        # 'adjust' holds until the roll or a decision has changed either side; a confirmed stop of a member holds the household
        # until a decision lowers its amount
        f"""WITH touched AS ({_SIDE})
        SELECT t.n, '疑点 ' || t.doubt_id || CASE t.effect WHEN 'adjust' THEN '待调整金额' WHEN 'undecided' THEN '已确认，还没有写明停发哪一方'
                 WHEN 'done' THEN '已停发或已追回，名册上还有' ELSE '已确认停发' END AS reason,
               t.doubt_id AS source
        FROM touched t JOIN candidate c ON c.n = t.n
        WHERE t.effect = 'undecided'
           OR (t.effect IN ('stop', 'done') AND NOT coalesce(c.change_action = 'decrease' AND c.decided_at >= t.disposed_at, false))
           OR (t.effect = 'adjust' AND NOT EXISTS (
                 SELECT 1 FROM side o LEFT JOIN decision d ON d.id_no = o.id_no AND d.programme = o.programme
                 LEFT JOIN changed x ON x.id_no = o.id_no AND x.programme = o.programme
                 WHERE o.doubt_id = t.doubt_id AND (d.decided_at >= t.disposed_at OR x.created_at >= t.disposed_at)))""",
        "按复核决定更正花名册或金额后重新制单",
        needs="side",
    ),
    Hold(
        "doubt_open",
        "疑点未核实",
        f"SELECT n, '疑点 ' || doubt_id || ' 待核实' AS reason, doubt_id AS source FROM ({_SIDE}) WHERE effect = 'pending'",
        "在疑点工作簿里填处理结果并读回（jiuzhu dedupe decide）",
        releasable=True,
        needs="side",
    ),
    Hold(
        "stopped",
        "已决定停发",
        "SELECT n, '停发决定 ' || change_case || '，自 ' || change_month || ' 起' AS reason, change_case AS source FROM candidate WHERE stopped",
        "名册应去掉此人；重新认定的，在名册写明新的起始享受月份",
        needs="change",
    ),
    Hold(
        "decision_differs",
        "与复核决定不符",
        "SELECT n, '复核决定 ' || last_case || ' 是 ' || printf('%.2f', last_after_fen / 100.0) || ' 元，名册是 '"
        " || printf('%.2f', amount_fen / 100.0) || ' 元' AS reason, last_case AS source FROM candidate WHERE differs",
        "核对金额：更正名册，或重新复核",
        releasable=True,
        needs="decision",
    ),
    Hold(
        "same_programme_twice",
        "同项目重复",
        """SELECT n, '同一项目本月有 ' || times || ' 户（件）：' || towns AS reason, '' AS source FROM (
             SELECT n, count(*) OVER w AS times, string_agg(town, '、') OVER w AS towns,
                    row_number() OVER (PARTITION BY programme, recipient, item
                                       ORDER BY row_id = owed_row DESC, town = owed_town DESC, n) AS place, live_fen
             FROM candidate WHERE NOT stopped AND n NOT IN (SELECT n FROM confirmed)
             WINDOW w AS (PARTITION BY programme, recipient, item)) WHERE times > 1 AND (live_fen IS NULL OR place > 1)
           UNION
           SELECT m.n, '家庭成员在本项目另一户里也有' AS reason, '' AS source
           FROM member m JOIN candidate c ON c.n = m.n
           JOIN (SELECT m.id_no, c.programme FROM member m JOIN candidate c ON c.n = m.n
                 WHERE c.monthly AND NOT c.stopped AND c.n NOT IN (SELECT n FROM confirmed)
                 GROUP BY m.id_no, c.programme HAVING count(DISTINCT c.n) > 1) t ON t.id_no = m.id_no AND t.programme = c.programme
           WHERE c.live_fen IS NULL AND NOT c.stopped AND c.n NOT IN (SELECT n FROM confirmed)
             AND NOT EXISTS (SELECT 1 FROM side s WHERE s.id_no = m.id_no AND s.programme = c.programme AND s.twin
                             AND s.effect = 'release')""",
        "只能在一处享受：在疑点里确认停发哪一方，或更正花名册",
    ),
    Hold(
        "maybe_paid",
        "可能已发过",
        # a live payment of this programme whose recipient (or item) no longer stands on the roll, and that this case
        # resembles: same person with another item, a member of the household, or the same account
        """WITH gone AS (SELECT o.* FROM owed o WHERE o.live_fen IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM candidate c WHERE c.programme = o.programme AND c.recipient = o.recipient_id_no AND c.item = o.item))
           SELECT DISTINCT n, '第 ' || payment_id || ' 批已向同一人、同户成员或同一账号发过（名册后来改了姓名、证件号或期次）' AS reason, '' AS source
           FROM (
             SELECT c.n, g.payment_id FROM candidate c JOIN gone g ON g.programme = c.programme AND g.recipient_id_no = c.recipient
                    AND g.month = c.month WHERE c.live_fen IS NULL
             UNION ALL
             SELECT c.n, g.payment_id FROM gone g JOIN member m ON m.id_no = g.recipient_id_no JOIN candidate c ON c.n = m.n
                    AND c.programme = g.programme AND c.recipient <> m.id_no AND (g.month = c.month OR (g.item = c.item AND c.item <> ''))
                    WHERE c.live_fen IS NULL
             UNION ALL
             SELECT c.n, g.payment_id FROM candidate c JOIN gone g ON g.programme = c.programme AND g.account_no = c.account_no
                    AND g.month = c.month WHERE c.live_fen IS NULL AND c.account_no <> '')""",
        "查清原来那笔是否就是发给这一户的；确属另一笔的，下月补发",
        needs="owed",
    ),
    Hold(
        "paid_already_differs",
        "已发且金额不同",
        "SELECT n, '第 ' || live_payment || ' 批已按 ' || printf('%.2f', live_fen / 100.0) || ' 元发放，现应为 '"
        " || printf('%.2f', due_fen / 100.0) || ' 元' AS reason, '' AS source FROM candidate"
        " WHERE live_fen <> due_fen AND NOT stopped AND (owed_month = month)",
        "差额不会自动补发或扣回：按补发或追缴程序办理",
        needs="owed",
    ),
    Hold(
        "paid_earlier",
        "以前月份已发",
        "SELECT n, '第 ' || live_payment || ' 批（' || owed_month || '）已发过这一期（次）' AS reason, '' AS source FROM candidate"
        " WHERE live_fen IS NOT NULL AND owed_month <> month",
        "同一期（次）只发一次；确属另一期的，在名册写明期次或发生日期",
        needs="owed",
    ),
    Hold(
        "same_one_off",
        "一年内同额同事由",
        "SELECT DISTINCT c.n, o.month || ' 已发过同一事由、同样金额的一次性救助' AS reason, '' AS source FROM candidate c JOIN one_off o"
        " ON o.programme = c.programme AND o.recipient_id_no = c.recipient AND o.amount_fen = c.due_fen AND o.cause = coalesce(c.cause, '')"
        " WHERE c.single AND c.item = '' AND c.live_fen IS NULL",
        "核对是否把以前的救助又报了一遍；确属新的一次，写明发生日期或加 --override",
        releasable=True,
        needs="one_off",
    ),
    Hold(
        "no_account",
        "没有账号",
        "SELECT n, '名册没有银行账号' AS reason, '' AS source FROM candidate WHERE account_no = ''",
        "请乡镇补报账号，更正名册",
    ),
    Hold(
        "bad_account",
        "账号不对",
        "SELECT n, '账号应为 6 至 32 位数字' AS reason, '' AS source FROM candidate WHERE account_no <> '' AND NOT regexp_full_match(account_no, '[0-9-]{6,32}')",
        "请乡镇核对账号，更正名册",
    ),
    Hold(
        "unfit",
        "银行文件写不了",
        "SELECT n, reason, '' AS source FROM unfit",
        "按本人在银行开户时的写法更正名册；或换成收得下的格式：另给一个走一卡通等 xlsx 格式的账户，或在 policy/banks/ 换该行的编码、加宽",
        needs="unfit",
    ),
    Hold(
        "over_cap",
        "超单笔上限",
        "SELECT n, '金额 ' || printf('%.2f', due_fen / 100.0) || ' 元，超过单笔上限 ' || printf('%.2f', cap_fen / 100.0) || ' 元' AS reason,"
        " '' AS source FROM candidate WHERE due_fen > cap_fen AND cap_fen > 0",
        "核对金额是否多写了零；确需大额发放的，调整 jiuzhu.toml 的 max_line_yuan",
    ),
    Hold(
        "not_posted",
        "公示未完成",
        """WITH fit AS (
             SELECT c.n, p.posting_id, p.state, p.seq,
                    EXISTS (SELECT 1 FROM objection o WHERE o.posting_id = p.posting_id AND o.state = 'open' AND (o.id_no = '' OR
                            o.id_no IN (SELECT m.id_no FROM member m WHERE m.n = c.n))) AS disputed
             FROM candidate c JOIN posting p ON p.programme = c.programme AND p.town = c.town AND p.village IN (c.village, '')
                  AND p.round = c.posting_round
             WHERE c.posting_round <> ''),
           best AS (SELECT n, max(CASE WHEN state <> 'closed' THEN 1 WHEN disputed THEN 2 ELSE 3 END) AS stage, max(seq) AS seq FROM fit GROUP BY n)
           SELECT c.n, CASE b.stage WHEN 1 THEN '公示还没有结束' WHEN 2 THEN '公示有异议未答复' WHEN 3 THEN '公示之后才列入名册，未经公示'
                  ELSE '没有公示' END AS reason, '' AS source
           FROM candidate c LEFT JOIN best b ON b.n = c.n
           WHERE c.posting_round <> '' AND (b.stage IS NULL OR b.stage < 3 OR EXISTS (
                 SELECT 1 FROM late l WHERE l.programme = c.programme AND l.id_no = c.recipient AND b.seq > 0 AND l.seq > b.seq))""",
        "公示期满、异议答复后结束公示（jiuzhu post close）",
        releasable=True,
    ),
    Hold(
        "objection_upheld",
        "异议成立",
        """SELECT DISTINCT c.n, '公示异议成立' AS reason, '' AS source FROM candidate c
           JOIN posting p ON p.programme = c.programme AND p.town = c.town AND p.village IN (c.village, '') AND p.round = c.posting_round
           JOIN objection o ON o.posting_id = p.posting_id AND o.state = 'upheld' JOIN member m ON m.n = c.n AND m.id_no = o.id_no
           WHERE c.change_action IS NULL""",
        "按异议结果更正名册或作复核决定",
        needs="objection",
    ),
    Hold(
        "not_compared",
        "未经比对",
        "SELECT DISTINCT c.n, '比对之后才列入名册' AS reason, '' AS source FROM late l JOIN member m USING (id_no) JOIN candidate c ON c.n = m.n"
        " AND c.programme = l.programme, setting WHERE compared > 0 AND l.seq > compared",
        "先重新比对（jiuzhu dedupe run）",
        releasable=True,
        needs="late",
    ),
)
BY_CODE = {hold.code: hold for hold in HOLDS}
