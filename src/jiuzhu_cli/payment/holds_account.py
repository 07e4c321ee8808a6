"""Gates of account and amount: no account, one that no bank file can express, another account or amount than was last paid."""

from __future__ import annotations

from jiuzhu_cli.payment.hold import Hold

ACCOUNT = (
    Hold(
        "no_account",
        "没有账号",
        "SELECT n, '名册没有银行账号' AS reason, '' AS source FROM candidate WHERE account_no = ''",
        "请乡镇补报账号，更正花名册再导入（同册的人已有发出的，加 --replace），再制单",
        never="没有账号，银行无处可付",
    ),
    Hold(
        "account_refused",
        "账户被银行退过",
        # mended_line: the refused line that the account in ``candidate`` is the answer to
        """SELECT DISTINCT c.n, '银行退回：' || r.told AS reason, '' AS source FROM candidate c JOIN rejected r ON r.recipient_id_no = c.recipient
           WHERE c.live_fen IS NULL AND r.line_id > c.mended_line
             AND CASE r.kind WHEN 'line' THEN r.obligation_id = c.obligation_id WHEN 'account' THEN r.account_no = c.account_no
                 ELSE r.account_no = c.account_no AND r.payee_name = c.payee_name AND r.payee_id_no = c.payee_id_no END""",
        "在发放失败更正表里填好新账户（或原账户可用）后 jiuzhu import，再制单；也可更正名册",
        releasable=True,
        needs="rejected",
        switch="发放拦下_账户被退",
    ),
    Hold(
        "bad_account",
        "账号不对",
        "SELECT n, '账号应为 6 至 32 位数字' AS reason, '' AS source FROM candidate WHERE account_no <> '' AND NOT regexp_full_match(account_no, '[0-9-]{6,32}')",
        "请乡镇核对账号，更正名册",
        never="账号写得不成账号，银行无处可付",
    ),
    Hold(
        "unfit",
        "银行文件写不了",
        "SELECT n, reason, '' AS source FROM unfit",
        "按本人在银行开户时的写法更正名册；或换成收得下的格式：另给一个走一卡通等 xlsx 格式的账户，或在 policy/banks/ 换该行的编码、加宽",
        needs="unfit",
        never="银行文件写不出来，写错一个字就是别人的户名",
    ),
    Hold(
        "over_cap",
        "超单笔上限",
        "SELECT n, '金额 ' || printf('%.2f', due_fen / 100.0) || ' 元，超过单笔上限 ' || printf('%.2f', cap_fen / 100.0) || ' 元' AS reason,"
        " '' AS source FROM candidate WHERE due_fen > cap_fen AND cap_fen > 0",
        "核对金额是否多写了零；确需大额发放的，调整 jiuzhu.toml 的 max_line_yuan",
        never="上限是银行协议和本单位设置的：改设置，不逐笔放行",
    ),
    Hold(
        "account_changed",
        "账号与上次不同",
        # not when the bank refused that account since, for a reason that it must be mended for, and a list that came in after the refusal tells the new one:
        # then a new account is what was asked for; nor one that the same payee was paid into before, that an agreement on file names, or that somebody
        # has looked into
        """WITH last AS (
             SELECT programme, recipient_id_no, arg_max(account_no, line_id) AS account_no, arg_max(payee_name, line_id) AS payee_name,
                    arg_max(month, line_id) AS month, max(line_id) AS line_id FROM paid GROUP BY ALL)
           SELECT c.n, l.month || ' 发到尾号 ' || right(l.account_no, 4) || '（' || l.payee_name || '），这次是尾号 ' || right(c.account_no, 4)
                  || CASE WHEN c.payee_name <> l.payee_name THEN '（' || c.payee_name || '）' ELSE '' END AS reason, '' AS source
           FROM candidate c JOIN last l ON l.programme = c.programme AND l.recipient_id_no = c.recipient
           WHERE c.account_no <> '' AND c.agreement_row IS NULL AND c.mended = '' AND replace(c.account_no, '-', '') <> replace(l.account_no, '-', '')
             AND NOT EXISTS (SELECT 1 FROM refused f JOIN main.candidate k ON k.recipient = f.recipient_id_no JOIN rolls o ON o.batch_id = k.batch_id
                   WHERE f.recipient_id_no = c.recipient AND f.line_id > l.line_id AND (f.programme = c.programme OR f.account_no = l.account_no)
                     AND f.account_no <> c.account_no AND k.programme = c.programme AND k.account_no = c.account_no AND o.created_at >= f.returned_at)
             AND NOT EXISTS (SELECT 1 FROM paid k WHERE k.account_no = c.account_no AND k.payee_name = c.payee_name)
             AND NOT EXISTS (SELECT 1 FROM agreement g WHERE g.programme = c.programme AND g.id_no = c.recipient AND g.account_no = c.account_no)
             AND NOT EXISTS (SELECT 1 FROM looked_into d WHERE d.row_id = c.row_id)""",
        "向本人核实后，在疑点工作簿“发放前换了账户”那条填处理结果并读回（jiuzhu dedupe decide）；或按单笔放行办",
        releasable=True,
        needs="paid",
        switch="发放拦下_账号变更",
    ),
    Hold(
        "amount_jump",
        "金额突变",
        # against the last month paid, or what a decision has set since; by the head where their number changed; what a new standard may add
        # is allowed. Both limits must be passed: half of a small sum is little money, and a large household's sum moves by much
        """WITH last AS (
             SELECT programme, recipient_id_no, max(month) AS month, arg_max(paid_fen, (month, line_id)) AS fen, arg_max(persons, (month, line_id)) AS heads
             FROM paid WHERE item = '' GROUP BY ALL),
           base AS (
             SELECT c.n, c.due_fen, l.month, l.fen AS was_fen, coalesce(d.amount_after_fen, l.fen) AS fen,
                    CASE WHEN d.case_id IS NULL AND l.heads > 0 AND c.persons > 0 THEN l.fen * c.persons / l.heads ELSE NULL END AS by_head,
                    coalesce(s.allowed_fen, 0) * greatest(c.persons, 1) AS allowed
             FROM candidate c JOIN last l ON l.programme = c.programme AND l.recipient_id_no = c.recipient
             LEFT JOIN decision d ON d.case_id = coalesce(c.change_case, c.last_case) AND d.effective_month > l.month AND d.amount_after_fen > 0
             LEFT JOIN standard_change s ON s.programme = c.programme AND s.month = l.month
             WHERE c.monthly AND NOT c.stopped AND NOT coalesce(c.start_month > l.month, false))
           SELECT n, month || ' 发 ' || printf('%.2f', was_fen / 100.0) || ' 元，这次 ' || printf('%.2f', due_fen / 100.0) || ' 元，没有复核决定' AS reason, '' AS source
           FROM base
           WHERE abs(due_fen - fen) - allowed > greatest($yuan * 100, fen * $share / 100)
             AND (by_head IS NULL OR abs(due_fen - by_head) - allowed > greatest($yuan * 100, by_head * $share / 100))""",
        "核对是否多写了零、并了几个月；标准调了的写进 policy/parameters，户内情况变了的先复核；属实的按单笔放行办",
        releasable=True,
        needs="paid",
        switch="发放拦下_金额突变",
        limits={"yuan": "金额突变金额", "share": "金额突变比例"},
    ),
)
