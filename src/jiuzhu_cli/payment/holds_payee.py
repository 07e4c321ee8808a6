"""Gates of who is paid in a person's place: what the roll says against the agreements on file (``agreements``)."""

from __future__ import annotations

from jiuzhu_cli.payment.hold import Hold

# what the roll names beside the recipient: neither by name nor by number the recipient themselves
_OTHER = "(c.payee_name <> c.recipient_name AND c.payee_id_no <> c.recipient)"
_MATE = """(EXISTS (SELECT 1 FROM member m WHERE m.n = c.n AND m.id_no = c.payee_id_no)
    OR EXISTS (SELECT 1 FROM members m WHERE m.batch_id = c.batch_id AND m.case_no = c.case_no AND m.name = c.payee_name)
    OR EXISTS (SELECT 1 FROM mates h WHERE h.head_id_no = c.recipient AND (h.id_no = c.payee_id_no OR h.name = c.payee_name)))"""

PAYEE = (
    Hold(
        "agreement_unclear",
        "代领协议不清",
        """SELECT c.n, '本月有效的代领协议有 ' || a.ways || ' 份，收款人或账号不一样' AS reason, '' AS source
           FROM candidate c JOIN agreement a ON a.programme = c.programme AND a.id_no = c.recipient WHERE a.ways > 1
           UNION ALL
           SELECT c.n, '代领协议写的救助项目“' || w.written || '”认不出' AS reason, '' AS source
           FROM candidate c JOIN agreements a ON a.id_no = c.recipient JOIN agreed_programme w ON w.written = coalesce(a.programme, '') AND w.code = '?'
           WHERE c.account_no = ''""",
        "更正代领协议名单（终止旧的、写清项目）后重新导入",
        needs="agreements",
        never="不知道该发给谁",
    ),
    Hold(
        "payee_differs",
        "与代领协议不符",
        f"""SELECT c.n, '协议发给 ' || a.payee_name || '（尾号 ' || right(a.account_no, 4) || '），名册是 ' || c.payee_name || '（尾号 ' || right(c.account_no, 4) || '）' AS reason,
                  '' AS source
            FROM candidate c JOIN agreement a ON a.programme = c.programme AND a.id_no = c.recipient
            WHERE a.ways = 1 AND c.account_no <> '' AND {_OTHER}
              AND (replace(c.account_no, '-', '') <> replace(a.account_no, '-', '') OR (c.payee_name <> a.payee_name AND c.payee_id_no <> a.payee_id_no))""",
        "核对：换了收款人、账号的，先更正代领协议名单；名册写错的，更正名册",
        releasable=True,
        needs="agreement",
    ),
    Hold(
        "payee_unagreed",
        "代领没有协议",
        f"""SELECT c.n, '收款人 ' || c.payee_name || ' 不是本人，也不是同户成员，没有有效的代领协议' AS reason, '' AS source
            FROM candidate c LEFT JOIN agreement a ON a.programme = c.programme AND a.id_no = c.recipient
            WHERE a.id_no IS NULL AND c.account_no <> '' AND {_OTHER} AND NOT {_MATE}
            UNION ALL
            SELECT c.n, b.mode || '供养的发给供养机构，没有有效的代领协议' AS reason, '' AS source
            FROM candidate c JOIN by_agreement b ON b.programme = c.programme AND b.mode IN (c.care_mode, c.category)
            LEFT JOIN agreement a ON a.programme = c.programme AND a.id_no = c.recipient
            WHERE a.id_no IS NULL AND c.account_no <> '' AND NOT {_OTHER}""",
        "把协议列进代领协议名单（jiuzhu template 代领协议名单）后导入；已不再代领的，更正名册",
        releasable=True,
        switch="代领须有协议",
    ),
)
