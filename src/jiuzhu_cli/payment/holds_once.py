"""Gates against paying twice: the same programme twice, paid already in this or an earlier month, the same one-off aid again."""

from __future__ import annotations

from jiuzhu_cli.payment.hold import Hold

ONCE = (
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
        never="同一笔待遇只能有一份，批准也不能变成两份",
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
        never="先查清是不是同一笔；确属另一笔的，补发时另记",
    ),
    Hold(
        "said_paid",
        "待确认实际到账",
        "SELECT c.n, '上次记作失败，有人提出其实已到账（更正 ' || s.correction_id || '），还没有确认' AS reason, '' AS source FROM candidate c JOIN said_paid s"
        " ON s.programme = c.programme AND s.recipient_id_no = c.recipient AND s.month = coalesce(c.owed_month, c.month) AND s.item = c.item"
        " WHERE c.live_fen IS NULL",
        "由另一人确认（jiuzhu pay reverse --confirm 编号）就不再发；查明没有到账的撤回（--drop 编号），再制单",
        needs="said_paid",
        never="先确认是否已到账：没有查清就补发，会发两次",
    ),
    Hold(
        "paid_already_differs",
        "已发且金额不同",
        "SELECT n, '第 ' || live_payment || ' 批已按 ' || printf('%.2f', live_fen / 100.0) || ' 元发放，现应为 '"
        " || printf('%.2f', due_fen / 100.0) || ' 元' AS reason, '' AS source FROM candidate"
        " WHERE live_fen <> due_fen AND NOT stopped AND (owed_month = month)",
        "差额不会自动补发或扣回：按补发或追缴程序办理",
        needs="owed",
        never="钱已经出去：差额走补发或追缴，不能再发一笔",
    ),
    Hold(
        "paid_earlier",
        "以前月份已发",
        "SELECT n, '第 ' || live_payment || ' 批（' || owed_month || '）已发过这一期（次）' AS reason, '' AS source FROM candidate"
        " WHERE live_fen IS NOT NULL AND owed_month <> month",
        "同一期（次）只发一次；确属另一期的，在名册写明期次或发生日期",
        needs="owed",
        never="同一期（次）只发一次",
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
)
