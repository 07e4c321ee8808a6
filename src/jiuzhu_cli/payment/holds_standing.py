"""Gates of what stands against a case: death, doubts, decisions, posting, objections, not compared."""

from __future__ import annotations

from jiuzhu_cli.payment.hold import Hold

# a side of a doubt is this case's when one of its persons and its programme are named; where both sides are the same
# person and programme (one programme in two towns) only the area tells them apart
_SIDE = """
SELECT DISTINCT c.n, s.doubt_id, s.effect, s.disposed_at
FROM side s JOIN member m ON m.id_no = s.id_no JOIN candidate c ON c.n = m.n AND s.programme = c.programme
WHERE NOT s.twin OR s.area IN (c.area, c.town, c.town || '/' || c.village)
"""

STANDING = (
    Hold(
        "dead",
        "已死亡",
        # the month of death is still paid (dedupe's ``after_event`` has the same rule); a death without a day holds every month
        "SELECT c.n, '死亡登记' || coalesce(' ' || d.event_date, '') AS reason, '' AS source FROM"
        " (SELECT n, month, recipient AS id_no FROM candidate UNION SELECT n, month, payee_id_no FROM candidate) c JOIN dead d USING (id_no)"
        " WHERE d.event_date IS NULL OR c.month > substr(d.event_date, 1, 7)",
        "核实后停发；确属登记错误的，更正死亡名单后重新导入",
        never="死亡是登记的事实，不能靠批准再发；登记错了就更正登记",
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
        never="已经有人核实并决定；情况不同了就改处理结果",
        needs="side",
    ),
    Hold(
        "doubt_open",
        "疑点未核实",
        f"SELECT n, '疑点 ' || doubt_id || ' 待核实' AS reason, doubt_id AS source FROM ({_SIDE}) WHERE effect = 'pending'",
        "在疑点工作簿里填处理结果并读回（jiuzhu dedupe decide）",
        releasable=True,
        needs="side",
        switch="发放拦下_疑点未核实",
    ),
    Hold(
        "stopped",
        "已决定停发",
        "SELECT n, '停发决定 ' || change_case || '，自 ' || change_month || ' 起' AS reason, change_case AS source FROM candidate WHERE stopped",
        "名册应去掉此人；重新认定的，在名册写明新的起始享受月份",
        never="停发决定在生效，要发先撤回或另作决定",
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
        switch="发放拦下_公示未完成",
    ),
    Hold(
        "objection_upheld",
        "异议成立",
        """SELECT DISTINCT c.n, '公示异议成立' AS reason, '' AS source FROM candidate c
           JOIN posting p ON p.programme = c.programme AND p.town = c.town AND p.village IN (c.village, '') AND p.round = c.posting_round
           JOIN objection o ON o.posting_id = p.posting_id AND o.state = 'upheld' JOIN member m ON m.n = c.n AND m.id_no = o.id_no
           WHERE c.change_action IS NULL""",
        "按异议结果更正名册或作复核决定",
        never="异议已查实，要发先作出复核决定",
        needs="objection",
    ),
    Hold(
        "objection_open",
        "异议未答复",
        # of this month's posting ``not_posted`` tells; here: raised about a person on an earlier month's list or on another round
        """SELECT c.n, o.raised_month || ' 公示的异议（' || o.received_on || ' 收到）还没有答复' AS reason, '' || o.objection_id AS source
           FROM unanswered o JOIN member m USING (id_no) JOIN candidate c ON c.n = m.n AND c.programme = o.programme
           WHERE NOT (o.raised_month = c.month AND o.round = c.posting_round)""",
        "调查后答复（jiuzhu post resolve），不成立的照发",
        releasable=True,
        needs="unanswered",
        switch="发放拦下_异议未答复",
    ),
    Hold(
        "no_hearing",
        "决定前未听取意见",
        # asked when the decision first takes hold of a payment: of the last decision on the case, as long as it is applied; a stop by a
        # death needs no hearing only while somebody is dead
        """WITH taken AS (
             SELECT c.n, d.*, coalesce(c.stopped OR c.change_case = d.case_id OR c.amount_fen = d.amount_after_fen, false) AS applied,
                    (SELECT max(p.month) FROM paid p WHERE p.programme = c.programme AND p.recipient_id_no = c.recipient AND p.item = '') AS paid_month,
                    d.id_no IN (SELECT id_no FROM dead) AS dead
             FROM candidate c JOIN decision d ON d.case_id = coalesce(c.change_case, c.last_case))
           SELECT n, '决定 ' || case_id || CASE WHEN needs_hearing = 0 THEN ' 依据的死亡登记已经没有了，也没有听取意见'
                    WHEN hearing_date = '' AND notice_date = '' THEN ' 没有听取意见，也没有书面告知'
                    WHEN hearing_date = '' THEN ' 没有听取意见' WHEN notice_date = '' THEN ' 没有书面告知' ELSE ' 书面告知早于听取意见' END
                  || '（社会救助法第48条）' AS reason, case_id AS source
           FROM taken WHERE applied AND action IN ('decrease', 'stop', 'transfer') AND (paid_month IS NULL OR paid_month < effective_month)
             AND CASE WHEN needs_hearing = 1 THEN hearing_date = '' OR notice_date = '' OR hearing_date > notice_date
                      ELSE action = 'stop' AND NOT dead AND regexp_matches(split_part(reasons, '；', 1), '死亡|去世') END""",
        "听取意见、书面告知后，在复核建议工作簿补日期读回（jiuzhu review decide）；或撤回决定（jiuzhu review undo）",
        releasable=True,
        needs="decision",
        switch="发放拦下_决定未听取意见",
    ),
    Hold(
        "not_compared",
        "未经比对",
        # an account that came in since and that others are paid into, too: whether they are one family only the comparison can tell
        """SELECT DISTINCT c.n, '比对之后才列入名册' AS reason, '' AS source FROM late l JOIN member m USING (id_no) JOIN candidate c ON c.n = m.n
             AND c.programme = l.programme, setting WHERE compared > 0 AND l.seq > compared
           UNION ALL
           SELECT DISTINCT c.n, '比对之后换了账号，与别的户是同一个', '' FROM late_account a JOIN candidate c USING (row_id)
             JOIN candidate o ON o.account_no = c.account_no AND o.recipient <> c.recipient
             WHERE NOT EXISTS (SELECT 1 FROM member m WHERE m.n = c.n AND m.id_no = o.recipient)
               AND NOT EXISTS (SELECT 1 FROM refused f WHERE f.programme = c.programme AND f.recipient_id_no = c.recipient)""",
        "先重新比对（jiuzhu dedupe run）",
        releasable=True,
    ),
)
