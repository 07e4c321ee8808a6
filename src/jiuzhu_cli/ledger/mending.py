"""Accounts that banks refused, and what the towns found out about them (register ``account_mending``, by import)."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.ledger.store import Store

REGISTER = "account_mending"

# Lines that came back and were not paid into the same account by a batch sent later, by the recipient: what the plan must not repeat unmended.
# A batch can go to the bank once its files are on record: one drafted or exported earlier may come later, when its export was broken off.
_REFUSED = """
WITH told AS (SELECT entity, MIN(seq) AS seq FROM journal WHERE command = 'pay export' AND json_extract(detail, '$.file') IS NOT NULL GROUP BY entity),
sent AS MATERIALIZED (SELECT b.payment_id, COALESCE(t.seq, 0) AS seq FROM payment_batch b LEFT JOIN told t ON t.entity = 'payment:' || b.payment_id)
SELECT l.line_id, l.payment_id, l.transfer_no, l.obligation_id, o.recipient_id_no, l.account_no, l.payee_name, l.payee_id_no, l.bank, l.reason,
       l.reason_code, o.programme, l.returned_at, substr(l.returned_at, 1, 10) AS day
FROM payment_line l JOIN obligation o USING (obligation_id) JOIN sent s USING (payment_id)
WHERE l.state IN ('failed', 'reversed') AND NOT EXISTS (
  SELECT 1 FROM obligation p JOIN payment_line q ON q.obligation_id = p.obligation_id JOIN sent t ON t.payment_id = q.payment_id
  WHERE p.recipient_id_no = o.recipient_id_no AND q.account_no = l.account_no AND q.state = 'paid' AND (t.seq, t.payment_id) > (s.seq, s.payment_id))
ORDER BY l.line_id
"""
# a row of the form by its key (P3-17: batch and transfer), with every line of that transfer; a key that names nothing gives none
_MENDED = f"""
WITH row AS (
  SELECT r.row_id, r.id_no, r.status, r.account_no, r.related_name AS payee_name, r.bank_name, r.relation, r.organisation, r.certificate_no AS key,
         CAST(substr(r.certificate_no, 2, instr(r.certificate_no, '-') - 2) AS INTEGER) AS payment_id,
         CAST(substr(r.certificate_no, instr(r.certificate_no, '-') + 1) AS INTEGER) AS transfer_no
  FROM batch b JOIN register_row r USING (batch_id) WHERE b.kind = 'register' AND b.programme = '{REGISTER}' AND b.status = 'active')
SELECT row.row_id, row.id_no, row.status, row.account_no, row.payee_name, row.bank_name, row.relation, row.organisation, row.key,
       l.line_id, l.obligation_id, l.state, l.bank, l.reason, l.reason_code, l.account_no AS old_account, l.payee_name AS old_payee,
       l.payee_id_no AS old_payee_id, l.bank_name AS old_bank_name, o.recipient_id_no, o.recipient_name, o.roll_row_id,
       COALESCE(c.account_no, '') AS roll_account
FROM row JOIN payment_line l ON l.payment_id = row.payment_id AND l.transfer_no = row.transfer_no AND row.key = 'P' || l.payment_id || '-' || l.transfer_no
JOIN obligation o USING (obligation_id) LEFT JOIN roll_row c ON c.row_id = o.roll_row_id
ORDER BY row.row_id, l.line_id
"""
_HOUSEHOLD = """
SELECT DISTINCT h.row_id, m.name, m.id_no FROM (SELECT value AS row_id FROM json_each(?)) w JOIN roll_row h ON h.row_id = w.row_id
JOIN roll_row m ON m.batch_id = h.batch_id AND m.case_no = h.case_no
"""


def refused_lines(store: Store) -> list[dict[str, Any]]:
    """Lines refused (or sent back after they were paid) whose account no batch sent later has paid into, oldest first.

    ``line_id, payment_id, transfer_no, obligation_id, recipient_id_no, account_no, payee_name, payee_id_no, bank, reason, reason_code, programme,
    returned_at, day``.
    """
    return [dict(row) for row in store.query(_REFUSED)]


def mended_lines(store: Store) -> list[dict[str, Any]]:
    """What the towns' forms say, a row for each line of the transfer that a form's row names, in the order the forms came in.

    The form: ``row_id, id_no, status, account_no, payee_name, bank_name, relation, organisation, key``; the line: ``line_id, obligation_id,
    state, bank, reason, reason_code, old_account, old_payee, old_payee_id, old_bank_name, recipient_id_no, recipient_name, roll_row_id,
    roll_account``.
    """
    return [dict(row) for row in store.query(_MENDED)]


def households(store: Store, roll_rows: list[int]) -> dict[int, dict[str, str]]:
    """Per roll row: name → ID of everybody of its case."""
    import json

    found: dict[int, dict[str, str]] = {}
    for row_id, name, id_no in store.query(_HOUSEHOLD, (json.dumps(roll_rows),)):
        found.setdefault(row_id, {})[name] = id_no
    return found
