"""An older ledger brought to this version's schema: a checked backup first, then one transaction; failing, the backup is put back.

Each step is the SQL from one version to the next; ``schema.sql`` is what all of them come to, for a new ledger.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from jiuzhu_cli.core.errors import JiuzhuError, OutsideError, reason_of
from jiuzhu_cli.ledger.store import PAGE_SIZE, Lock, damaged, ledger_error

MIGRATIONS: dict[int, str] = {
    1: """
    ALTER TABLE roll_row ADD COLUMN area_code TEXT;
    ALTER TABLE roll_row ADD COLUMN bank_code TEXT;
    ALTER TABLE register_row ADD COLUMN area_code TEXT;
    CREATE TABLE column_mapping (
      mapping_id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('roll','register')), programme TEXT NOT NULL,
      sender TEXT NOT NULL, form TEXT NOT NULL, header TEXT NOT NULL, column_letters TEXT NOT NULL,
      shown TEXT NOT NULL, field TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('active','replaced','forgotten','contradicted')),
      actor TEXT NOT NULL, created_at TEXT NOT NULL,
      ended_by TEXT NOT NULL DEFAULT '', ended_at TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE UNIQUE INDEX column_mapping_live ON column_mapping (kind, programme, sender, form, header, column_letters)
      WHERE state = 'active';
    """,
    2: """
    CREATE TABLE doubt_new (
      doubt_id TEXT PRIMARY KEY,
      doubt_key TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL, code TEXT NOT NULL,
      rule TEXT NOT NULL DEFAULT '',
      severity TEXT NOT NULL CHECK (severity IN ('strong','candidate')),
      month_from TEXT NOT NULL, month_to TEXT NOT NULL,
      id_no_a TEXT NOT NULL, name_a TEXT NOT NULL, programme_a TEXT NOT NULL, area_a TEXT NOT NULL, source_a TEXT NOT NULL,
      id_no_b TEXT NOT NULL, name_b TEXT NOT NULL, programme_b TEXT NOT NULL, area_b TEXT NOT NULL, source_b TEXT NOT NULL,
      amount_fen INTEGER NOT NULL, evidence TEXT NOT NULL, basis TEXT NOT NULL,
      facts TEXT NOT NULL DEFAULT '',
      state TEXT NOT NULL CHECK (state IN ('open','gone')),
      result TEXT NOT NULL DEFAULT '',
      disposition TEXT NOT NULL DEFAULT 'pending', disposition_note TEXT NOT NULL DEFAULT '',
      disposed_by TEXT NOT NULL DEFAULT '', disposed_at TEXT NOT NULL DEFAULT '',
      checked_by TEXT NOT NULL DEFAULT '', checked_on TEXT NOT NULL DEFAULT '',
      decided_facts TEXT NOT NULL DEFAULT '',
      opened_at TEXT NOT NULL DEFAULT '',
      run_month TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL
    ) STRICT;
    INSERT INTO doubt_new (doubt_id, doubt_key, kind, code, severity, month_from, month_to, id_no_a, name_a, programme_a, area_a, source_a, id_no_b, name_b, programme_b, area_b, source_b, amount_fen, evidence, basis, state, disposition, disposition_note, disposed_by, disposed_at, run_month, first_seen, last_seen)
      SELECT doubt_id, doubt_key, kind, code, severity, month_from, month_to, id_no_a, name_a, programme_a, area_a, source_a, id_no_b, name_b, programme_b, area_b, source_b, amount_fen, evidence, basis, state, disposition, disposition_note, disposed_by, disposed_at, run_month, first_seen, last_seen FROM doubt;
    DROP TABLE doubt;
    ALTER TABLE doubt_new RENAME TO doubt;
    CREATE INDEX doubt_person_a ON doubt (id_no_a);
    CREATE INDEX doubt_person_b ON doubt (id_no_b);
    UPDATE doubt SET result = CASE
        WHEN disposition IN ('pending', 'referred') THEN disposition
        WHEN disposition = 'legal' THEN CASE WHEN kind = 'double' THEN 'allowed' ELSE 'false_alarm' END
        ELSE 'confirmed' END,
      opened_at = coalesce((SELECT min(at) FROM journal WHERE entity = 'dedupe:' || first_seen), '');
    ALTER TABLE doubt_month ADD COLUMN row_a INTEGER;
    ALTER TABLE doubt_month ADD COLUMN row_b INTEGER;
    ALTER TABLE doubt_month ADD COLUMN fen_a INTEGER;
    ALTER TABLE doubt_month ADD COLUMN fen_b INTEGER;
    ALTER TABLE doubt_month ADD COLUMN fact TEXT;
    CREATE TABLE doubt_history (
      event_id INTEGER PRIMARY KEY, doubt_id TEXT NOT NULL REFERENCES doubt,
      at TEXT NOT NULL, actor TEXT NOT NULL, month TEXT NOT NULL DEFAULT '',
      event TEXT NOT NULL CHECK (event IN ('decided','reopened','gone','back')),
      result TEXT NOT NULL DEFAULT '', disposition TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
      checked_by TEXT NOT NULL DEFAULT '', checked_on TEXT NOT NULL DEFAULT '',
      source TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX doubt_history_doubt ON doubt_history (doubt_id);
    INSERT INTO doubt_history (doubt_id, at, actor, event, result, disposition, note)
      SELECT doubt_id, disposed_at, disposed_by, 'decided', result, disposition, disposition_note FROM doubt
      WHERE disposition <> 'pending' ORDER BY disposed_at, doubt_id;
    """,
    3: """
    DROP INDEX roll_person;
    DROP INDEX register_person;
    DROP INDEX register_related;
    ALTER TABLE roll_row ADD COLUMN id_key INTEGER AS (CAST(substr(id_no, 9, 9) AS INTEGER)) VIRTUAL;
    ALTER TABLE roll_row ADD COLUMN name_key INTEGER AS (unicode(name) % 2048 * 4096 + unicode(substr(name, -1)) % 4096) VIRTUAL;
    ALTER TABLE register_row ADD COLUMN id_key INTEGER AS (CAST(substr(id_no, 9, 9) AS INTEGER)) VIRTUAL;
    ALTER TABLE register_row ADD COLUMN name_key INTEGER AS (unicode(name) % 2048 * 4096 + unicode(substr(name, -1)) % 4096) VIRTUAL;
    ALTER TABLE register_row ADD COLUMN related_key INTEGER AS (CAST(substr(related_id_no, 9, 9) AS INTEGER)) VIRTUAL;
    CREATE INDEX roll_person ON roll_row (id_key, name_key);
    CREATE INDEX register_person ON register_row (id_key, name_key);
    CREATE INDEX register_related ON register_row (related_key) WHERE related_id_no IS NOT NULL;
    ALTER TABLE register_row ADD COLUMN quantity TEXT;
    CREATE TABLE step_source (source_id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE) STRICT;
    ALTER TABLE proposal ADD COLUMN maker TEXT NOT NULL DEFAULT '';
    ALTER TABLE proposal ADD COLUMN checker TEXT NOT NULL DEFAULT '';
    CREATE TABLE decision_batch (
      decision_id INTEGER PRIMARY KEY, file_names TEXT NOT NULL,
      applied INTEGER NOT NULL, effective INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('active','undone')),
      actor TEXT NOT NULL, created_at TEXT NOT NULL, undone_by TEXT NOT NULL DEFAULT '', undone_at TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE TABLE decision_line (
      decision_id INTEGER NOT NULL REFERENCES decision_batch, case_id TEXT NOT NULL REFERENCES proposal,
      before TEXT NOT NULL, after TEXT NOT NULL, source TEXT NOT NULL DEFAULT '',
      PRIMARY KEY (decision_id, case_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX decision_case ON decision_line (case_id);
    CREATE TABLE policy_version (digest TEXT PRIMARY KEY, content BLOB NOT NULL, kept_at TEXT NOT NULL) STRICT;
    CREATE TABLE case_link (
      month TEXT NOT NULL, programme TEXT NOT NULL, new_id_no TEXT NOT NULL,
      old_id_no TEXT NOT NULL, from_programme TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('head_dead','transfer')),
      case_id TEXT NOT NULL DEFAULT '',
      PRIMARY KEY (month, programme, new_id_no)
    ) STRICT, WITHOUT ROWID;
    """,
    4: """
    CREATE TABLE obligation_new (
      obligation_id INTEGER PRIMARY KEY,
      programme TEXT NOT NULL, month TEXT NOT NULL, recipient_id_no TEXT NOT NULL, item TEXT NOT NULL DEFAULT '',
      purpose TEXT NOT NULL DEFAULT 'regular' CHECK (purpose IN ('regular','back_pay')),
      cause TEXT NOT NULL DEFAULT '',
      recipient_name TEXT NOT NULL, town TEXT NOT NULL, village TEXT NOT NULL,
      amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), persons INTEGER NOT NULL,
      roll_row_id INTEGER NOT NULL, case_id TEXT NOT NULL DEFAULT '',
      UNIQUE (programme, month, recipient_id_no, item, purpose, cause), CHECK ((purpose = 'regular') = (cause = ''))
    ) STRICT;
    INSERT INTO obligation_new (obligation_id, programme, month, recipient_id_no, item, recipient_name, town, village, amount_fen, persons, roll_row_id, case_id) SELECT obligation_id, programme, month, recipient_id_no, item, recipient_name, town, village, amount_fen, persons, roll_row_id, case_id FROM obligation;
    CREATE TABLE payment_batch_new (
      payment_id INTEGER PRIMARY KEY, month TEXT NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('regular','retry','back_pay')),
      state TEXT NOT NULL CHECK (state IN ('draft','locked','approved','released','exported','reconciled','closed','cancelled')),
      lines INTEGER NOT NULL, amount_fen INTEGER NOT NULL, control_sha256 TEXT NOT NULL DEFAULT '',
      policy_digest TEXT NOT NULL, override_reason TEXT NOT NULL DEFAULT '',
      drafted_by TEXT NOT NULL, drafted_at TEXT NOT NULL, locked_by TEXT NOT NULL DEFAULT '', locked_at TEXT NOT NULL DEFAULT '',
      approved_by TEXT NOT NULL DEFAULT '', approved_at TEXT NOT NULL DEFAULT '', released_by TEXT NOT NULL DEFAULT '', released_at TEXT NOT NULL DEFAULT '',
      exported_at TEXT NOT NULL DEFAULT '', closed_by TEXT NOT NULL DEFAULT '', closed_at TEXT NOT NULL DEFAULT '',
      UNIQUE (month, sequence), CHECK (approved_by = '' OR approved_by <> drafted_by)
    ) STRICT;
    INSERT INTO payment_batch_new (payment_id, month, sequence, kind, state, lines, amount_fen, control_sha256, policy_digest, override_reason, drafted_by, drafted_at, locked_by, locked_at, approved_by, approved_at, exported_at) SELECT payment_id, month, sequence, kind, replace(state, 'returned', 'reconciled'), lines, amount_fen, control_sha256, policy_digest, override_reason, drafted_by, drafted_at, locked_by, locked_at, approved_by, approved_at, exported_at FROM payment_batch;
    CREATE TABLE payment_move (
      move_id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL REFERENCES payment_batch,
      from_state TEXT NOT NULL, to_state TEXT NOT NULL,
      actor TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
      control_sha256 TEXT NOT NULL DEFAULT '', signer TEXT NOT NULL DEFAULT '', signature TEXT NOT NULL DEFAULT '',
      level TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE TABLE payment_basis (basis_id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE payment_line_new (
      line_id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL REFERENCES payment_batch, line_no INTEGER NOT NULL,
      transfer_no INTEGER NOT NULL,
      obligation_id INTEGER NOT NULL REFERENCES obligation,
      bank TEXT NOT NULL, account_no TEXT NOT NULL, payee_name TEXT NOT NULL, payee_id_no TEXT NOT NULL, bank_name TEXT NOT NULL DEFAULT '',
      bank_code TEXT NOT NULL DEFAULT '',
      amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
      set_off_fen INTEGER NOT NULL DEFAULT 0 CHECK (set_off_fen >= 0),
      roll_row_id INTEGER NOT NULL DEFAULT 0, case_id TEXT NOT NULL DEFAULT '', parts TEXT NOT NULL DEFAULT '',
      basis_id INTEGER REFERENCES payment_basis, digest TEXT NOT NULL DEFAULT '',
      state TEXT NOT NULL CHECK (state IN ('due','sent','paid','failed','reversed','cancelled')), reason TEXT NOT NULL DEFAULT '',
      reason_code TEXT NOT NULL DEFAULT '', returned_at TEXT NOT NULL DEFAULT '', UNIQUE (payment_id, line_no)
    ) STRICT;
    INSERT INTO payment_line_new (line_id, payment_id, line_no, transfer_no, obligation_id, bank, account_no, payee_name, payee_id_no, bank_name, amount_fen, state, reason, returned_at) SELECT line_id, payment_id, line_no, line_no, obligation_id, bank, account_no, payee_name, payee_id_no, bank_name, amount_fen, state, reason, returned_at FROM payment_line;
    DROP TABLE payment_line;
    DROP TABLE payment_batch;
    DROP TABLE obligation;
    ALTER TABLE obligation_new RENAME TO obligation;
    ALTER TABLE payment_batch_new RENAME TO payment_batch;
    ALTER TABLE payment_line_new RENAME TO payment_line;
    CREATE INDEX obligation_recipient ON obligation (recipient_id_no);
    CREATE UNIQUE INDEX obligation_once ON obligation (programme, recipient_id_no, item) WHERE item <> '' AND purpose = 'regular';
    CREATE INDEX payment_move_batch ON payment_move (payment_id);
    CREATE INDEX payment_line_obligation ON payment_line (obligation_id);
    CREATE INDEX payment_line_refused ON payment_line (obligation_id) WHERE state IN ('failed','reversed');
    CREATE UNIQUE INDEX payment_once ON payment_line (obligation_id) WHERE state IN ('due','sent','paid');
    INSERT INTO payment_move (payment_id, from_state, to_state, actor, at, control_sha256)
      SELECT payment_id, '', 'draft', drafted_by, drafted_at, '' FROM payment_batch
      UNION ALL SELECT payment_id, 'draft', 'locked', locked_by, locked_at, control_sha256 FROM payment_batch WHERE locked_at <> ''
      UNION ALL SELECT payment_id, 'locked', 'approved', approved_by, approved_at, control_sha256 FROM payment_batch WHERE approved_at <> ''
      ORDER BY 5, 1;
    CREATE TRIGGER payment_batch_new BEFORE INSERT ON payment_batch WHEN NEW.state <> 'draft'
    BEGIN SELECT RAISE(ABORT, 'payment: a batch begins as a draft'); END;
    CREATE TRIGGER payment_batch_kept BEFORE DELETE ON payment_batch BEGIN SELECT RAISE(ABORT, 'payment: batches are never deleted'); END;
    CREATE TRIGGER payment_batch_moves BEFORE UPDATE OF state ON payment_batch WHEN NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (VALUES
      ('draft','locked'),('locked','approved'),('approved','released'),('released','exported'),('exported','reconciled'),('reconciled','closed'),
      ('locked','draft'),('approved','draft'),('released','approved'),('draft','cancelled'),('locked','cancelled'),('approved','cancelled'))
    BEGIN SELECT RAISE(ABORT, 'payment: this move is not allowed'); END;
    CREATE TRIGGER payment_batch_fixed BEFORE UPDATE OF month, sequence, kind, lines, amount_fen, policy_digest, override_reason, drafted_by, drafted_at
    ON payment_batch WHEN OLD.state <> 'draft' BEGIN SELECT RAISE(ABORT, 'payment: a locked batch cannot change'); END;
    CREATE TRIGGER payment_move_no_update BEFORE UPDATE ON payment_move BEGIN SELECT RAISE(ABORT, 'payment_move is append-only'); END;
    CREATE TRIGGER payment_move_no_delete BEFORE DELETE ON payment_move BEGIN SELECT RAISE(ABORT, 'payment_move is append-only'); END;
    CREATE TRIGGER payment_line_new BEFORE INSERT ON payment_line
    WHEN NEW.state <> 'due' OR (SELECT state FROM payment_batch WHERE payment_id = NEW.payment_id) <> 'draft'
    BEGIN SELECT RAISE(ABORT, 'payment: lines are added to drafts only'); END;
    CREATE TRIGGER payment_line_kept BEFORE DELETE ON payment_line
    WHEN (SELECT state FROM payment_batch WHERE payment_id = OLD.payment_id) <> 'draft'
    BEGIN SELECT RAISE(ABORT, 'payment: a locked batch cannot change'); END;
    CREATE TRIGGER payment_line_fixed BEFORE UPDATE OF payment_id, line_no, transfer_no, obligation_id, bank, account_no, payee_name, payee_id_no,
      bank_name, bank_code, amount_fen, set_off_fen, roll_row_id, case_id, parts, basis_id, digest ON payment_line
    WHEN (SELECT state FROM payment_batch WHERE payment_id = OLD.payment_id) <> 'draft'
    BEGIN SELECT RAISE(ABORT, 'payment: a locked batch cannot change'); END;
    CREATE TRIGGER payment_line_moves BEFORE UPDATE OF state ON payment_line WHEN NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (VALUES
      ('due','sent'),('due','cancelled'),('sent','paid'),('sent','failed'),('paid','reversed'),('failed','paid'))
    BEGIN SELECT RAISE(ABORT, 'payment: this move of a line is not allowed'); END;
    CREATE TABLE hold_override (
      override_id INTEGER PRIMARY KEY, month TEXT NOT NULL, programme TEXT NOT NULL, recipient_id_no TEXT NOT NULL, item TEXT NOT NULL DEFAULT '',
      recipient_name TEXT NOT NULL, town TEXT NOT NULL, code TEXT NOT NULL, hold_reason TEXT NOT NULL, reason TEXT NOT NULL CHECK (reason <> ''),
      asked_by TEXT NOT NULL, asked_at TEXT NOT NULL, agreed_by TEXT NOT NULL DEFAULT '', agreed_at TEXT NOT NULL DEFAULT '',
      ended_by TEXT NOT NULL DEFAULT '', ended_at TEXT NOT NULL DEFAULT '', ended_reason TEXT NOT NULL DEFAULT '',
      CHECK (agreed_by = '' OR agreed_by <> asked_by)
    ) STRICT;
    CREATE UNIQUE INDEX hold_override_live ON hold_override (month, programme, recipient_id_no, item, code) WHERE ended_at = '';
    CREATE TABLE payment_override (
      payment_id INTEGER NOT NULL REFERENCES payment_batch, line_id INTEGER NOT NULL REFERENCES payment_line,
      code TEXT NOT NULL, hold_reason TEXT NOT NULL, reason TEXT NOT NULL CHECK (reason <> ''),
      asked_by TEXT NOT NULL, asked_at TEXT NOT NULL,
      agreed_by TEXT NOT NULL DEFAULT '', agreed_at TEXT NOT NULL DEFAULT '',
      override_id INTEGER REFERENCES hold_override,
      PRIMARY KEY (line_id, code), CHECK (agreed_by = '' OR agreed_by <> asked_by)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX payment_override_batch ON payment_override (payment_id);
    CREATE TRIGGER payment_override_new BEFORE INSERT ON payment_override WHEN (SELECT state FROM payment_batch WHERE payment_id = NEW.payment_id) <> 'draft'
    BEGIN SELECT RAISE(ABORT, 'payment: a locked batch cannot change'); END;
    CREATE TRIGGER payment_override_kept BEFORE DELETE ON payment_override WHEN (SELECT state FROM payment_batch WHERE payment_id = OLD.payment_id) <> 'draft'
    BEGIN SELECT RAISE(ABORT, 'payment: a locked batch cannot change'); END;
    CREATE TRIGGER payment_override_fixed BEFORE UPDATE ON payment_override
    WHEN (SELECT state FROM payment_batch WHERE payment_id = OLD.payment_id) NOT IN ('draft','locked')
      OR (NEW.payment_id, NEW.line_id, NEW.code, NEW.hold_reason, NEW.reason, NEW.asked_by, NEW.asked_at, NEW.override_id)
         IS NOT (OLD.payment_id, OLD.line_id, OLD.code, OLD.hold_reason, OLD.reason, OLD.asked_by, OLD.asked_at, OLD.override_id)
    BEGIN SELECT RAISE(ABORT, 'payment: an override only gains who agreed to it'); END;
    CREATE TRIGGER payment_override_anew AFTER UPDATE OF state ON payment_batch WHEN NEW.state = 'draft' AND OLD.state <> 'draft'
    BEGIN UPDATE payment_override SET agreed_by = '', agreed_at = '' WHERE payment_id = NEW.payment_id AND override_id IS NULL; END;
    CREATE INDEX payment_failed ON payment_line (obligation_id) WHERE state IN ('failed','reversed');
    CREATE TRIGGER payment_line_closed BEFORE UPDATE ON payment_line
    WHEN (SELECT state FROM payment_batch WHERE payment_id = OLD.payment_id) = 'closed'
  AND (NEW.state NOT IN ('reversed','paid') OR NOT EXISTS (SELECT 1 FROM payment_correction c WHERE c.line_id = OLD.line_id AND c.state = 'done'))
    BEGIN SELECT RAISE(ABORT, 'payment: a closed batch cannot change'); END;
    CREATE TABLE payment_total (
      payment_id INTEGER NOT NULL REFERENCES payment_batch, axis TEXT NOT NULL CHECK (axis IN ('town','programme','bank')), name TEXT NOT NULL,
      lines INTEGER NOT NULL, amount_fen INTEGER NOT NULL, PRIMARY KEY (payment_id, axis, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER payment_total_new BEFORE INSERT ON payment_total
    WHEN (SELECT state FROM payment_batch WHERE payment_id = NEW.payment_id) <> 'draft'
    BEGIN SELECT RAISE(ABORT, 'payment: a locked batch cannot change'); END;
    CREATE TRIGGER payment_total_kept BEFORE DELETE ON payment_total
    WHEN (SELECT state FROM payment_batch WHERE payment_id = OLD.payment_id) <> 'draft'
    BEGIN SELECT RAISE(ABORT, 'payment: a locked batch cannot change'); END;
    CREATE TRIGGER payment_total_fixed BEFORE UPDATE ON payment_total BEGIN SELECT RAISE(ABORT, 'payment: totals are written once'); END;
    CREATE TABLE signing_key (
      key_id TEXT PRIMARY KEY, person TEXT NOT NULL, public_key TEXT NOT NULL UNIQUE, proof TEXT NOT NULL,
      enrolled_by TEXT NOT NULL, enrolled_at TEXT NOT NULL, after_move INTEGER NOT NULL,
      revoked_by TEXT NOT NULL DEFAULT '', revoked_at TEXT NOT NULL DEFAULT '', revoked_after INTEGER, reason TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE UNIQUE INDEX signing_key_live ON signing_key (person) WHERE revoked_at = '';
    CREATE TRIGGER signing_key_fixed BEFORE UPDATE OF key_id, person, public_key, proof, enrolled_by, enrolled_at, after_move ON signing_key
    BEGIN SELECT RAISE(ABORT, 'signing_key: what was enrolled stands'); END;
    CREATE TRIGGER signing_key_revoked BEFORE UPDATE ON signing_key WHEN OLD.revoked_at <> ''
    BEGIN SELECT RAISE(ABORT, 'signing_key: revoked once and for all'); END;
    CREATE TRIGGER signing_key_kept BEFORE DELETE ON signing_key BEGIN SELECT RAISE(ABORT, 'signing_key: keys are never deleted'); END;
    ALTER TABLE register_row ADD COLUMN account_no TEXT;
    ALTER TABLE register_row ADD COLUMN bank_name TEXT;
    CREATE TABLE back_pay (
      back_pay_id INTEGER PRIMARY KEY,
      programme TEXT NOT NULL, month TEXT NOT NULL, recipient_id_no TEXT NOT NULL, item TEXT NOT NULL DEFAULT '',
      cause TEXT NOT NULL,
      amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
      recipient_name TEXT NOT NULL, town TEXT NOT NULL, village TEXT NOT NULL, roll_row_id INTEGER NOT NULL, reason TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('found','confirmed','declined','gone')),
      found_by TEXT NOT NULL, found_at TEXT NOT NULL,
      decided_by TEXT NOT NULL DEFAULT '', decided_at TEXT NOT NULL DEFAULT '', decision_note TEXT NOT NULL DEFAULT '',
      UNIQUE (programme, month, recipient_id_no, item, cause)
    ) STRICT;
    CREATE INDEX back_pay_recipient ON back_pay (recipient_id_no);
    CREATE UNIQUE INDEX obligation_missed ON obligation (programme, month, recipient_id_no, item) WHERE cause = 'missed';
    CREATE INDEX obligation_back_pay ON obligation (month) WHERE purpose = 'back_pay';
    CREATE TRIGGER obligation_missed_before BEFORE INSERT ON obligation WHEN NEW.purpose = 'regular' AND EXISTS (SELECT 1 FROM obligation o WHERE
      o.cause = 'missed' AND o.programme = NEW.programme AND o.month = NEW.month AND o.recipient_id_no = NEW.recipient_id_no AND o.item = NEW.item)
    BEGIN SELECT RAISE(ABORT, 'payment: this month is owed as back-pay already'); END;
    CREATE TRIGGER obligation_owed_before BEFORE INSERT ON obligation WHEN NEW.cause = 'missed' AND EXISTS (SELECT 1 FROM obligation o WHERE
      o.programme = NEW.programme AND o.month = NEW.month AND o.recipient_id_no = NEW.recipient_id_no AND o.item = NEW.item AND o.purpose = 'regular')
    BEGIN SELECT RAISE(ABORT, 'payment: this month is owed already'); END;
    CREATE TABLE payment_correction (
      correction_id INTEGER PRIMARY KEY, line_id INTEGER NOT NULL REFERENCES payment_line,
      kind TEXT NOT NULL CHECK (kind IN ('bank_returned','booked_wrong','paid_after_all')), amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
      on_date TEXT NOT NULL, reference TEXT NOT NULL, reason TEXT NOT NULL,
      asked_by TEXT NOT NULL, asked_at TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('asked','done','dropped')),
      answered_by TEXT NOT NULL DEFAULT '', answered_at TEXT NOT NULL DEFAULT '', CHECK (state <> 'done' OR answered_by NOT IN ('', asked_by))
    ) STRICT;
    CREATE UNIQUE INDEX payment_correction_once ON payment_correction (line_id, kind = 'paid_after_all') WHERE state <> 'dropped';
    CREATE TRIGGER payment_line_paid_after_all BEFORE UPDATE OF state ON payment_line WHEN OLD.state = 'failed' AND NEW.state = 'paid' AND NOT EXISTS
      (SELECT 1 FROM payment_correction c WHERE c.line_id = OLD.line_id AND c.kind = 'paid_after_all' AND c.state = 'done')
    BEGIN SELECT RAISE(ABORT, 'payment: what was refused is booked as paid by a correction only'); END;
    CREATE TRIGGER payment_correction_kept BEFORE DELETE ON payment_correction BEGIN SELECT RAISE(ABORT, 'payment: corrections are never deleted'); END;
    CREATE TRIGGER payment_correction_fixed BEFORE UPDATE ON payment_correction WHEN OLD.state <> 'asked'
    BEGIN SELECT RAISE(ABORT, 'payment: this correction was answered'); END;
    CREATE TABLE recovery (
      recovery_id INTEGER PRIMARY KEY, line_id INTEGER NOT NULL UNIQUE REFERENCES payment_line,
      code TEXT NOT NULL, cause TEXT NOT NULL, reason TEXT NOT NULL,
      set_off INTEGER NOT NULL DEFAULT 0 CHECK (set_off IN (0, 1)),
      opened_by TEXT NOT NULL, opened_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE recovery_entry (
      entry_id INTEGER PRIMARY KEY, recovery_id INTEGER NOT NULL REFERENCES recovery,
      kind TEXT NOT NULL CHECK (kind IN ('claim','repayment','waiver')), amount_fen INTEGER NOT NULL CHECK (amount_fen <> 0),
      on_date TEXT NOT NULL DEFAULT '', receipt TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '',
      entry_key TEXT NOT NULL UNIQUE,
      actor TEXT NOT NULL, at TEXT NOT NULL,
      confirmed_by TEXT NOT NULL DEFAULT '', confirmed_at TEXT NOT NULL DEFAULT '',
      CHECK (confirmed_by <> actor)
    ) STRICT;
    CREATE INDEX recovery_entry_claim ON recovery_entry (recovery_id);
    CREATE TRIGGER recovery_entry_kept BEFORE DELETE ON recovery_entry BEGIN SELECT RAISE(ABORT, 'recovery_entry is append-only'); END;
    CREATE TRIGGER recovery_entry_fixed BEFORE UPDATE ON recovery_entry WHEN OLD.confirmed_by <> '' OR NEW.confirmed_by = '' OR OLD.kind <> 'waiver'
      OR (NEW.recovery_id, NEW.kind, NEW.amount_fen, NEW.entry_key, NEW.actor) <> (OLD.recovery_id, OLD.kind, OLD.amount_fen, OLD.entry_key, OLD.actor)
    BEGIN SELECT RAISE(ABORT, 'recovery_entry is append-only'); END;
    CREATE TABLE recovery_set_off (
      line_id INTEGER NOT NULL REFERENCES payment_line ON DELETE CASCADE, recovery_id INTEGER NOT NULL REFERENCES recovery,
      amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), PRIMARY KEY (line_id, recovery_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX recovery_set_off_claim ON recovery_set_off (recovery_id);
    CREATE TABLE payment_sum (
      payment_id INTEGER NOT NULL REFERENCES payment_batch, programme TEXT NOT NULL, category TEXT NOT NULL, town TEXT NOT NULL,
      again INTEGER NOT NULL CHECK (again IN (0,1)),
      lines INTEGER NOT NULL, recipients INTEGER NOT NULL, persons INTEGER NOT NULL, amount_fen INTEGER NOT NULL, set_off_fen INTEGER NOT NULL,
      control_sha256 TEXT NOT NULL,
      PRIMARY KEY (payment_id, programme, category, town, again)
    ) STRICT, WITHOUT ROWID;
    """,
    5: """
    DROP INDEX payment_line_refused;
    CREATE INDEX payment_line_refused ON payment_line (payment_id) WHERE state IN ('failed','reversed');
    DROP TRIGGER payment_line_moves;
    CREATE TRIGGER payment_line_moves BEFORE UPDATE OF state ON payment_line WHEN NEW.state <> OLD.state AND NOT CASE OLD.state
      WHEN 'due' THEN NEW.state = 'sent' OR NEW.state = 'cancelled' WHEN 'sent' THEN NEW.state = 'paid' OR NEW.state = 'failed'
      WHEN 'paid' THEN NEW.state = 'reversed' WHEN 'failed' THEN NEW.state = 'paid' ELSE 0 END
    BEGIN SELECT RAISE(ABORT, 'payment: this move of a line is not allowed'); END;
    """,
}


def migrate(path: Path, lock: Lock, *, to: int) -> Path | None:
    """Brings the ledger at ``path`` to version ``to``; returns the backup, None when another process has done it.

    OutsideError when the backup or the new schema cannot be written: the ledger is then what it was. RefusedError while
    another process writes.
    """
    lock.acquire("正在升级台账")
    try:
        version = _version(path)
        if version >= to:
            return None
        backup = _back_up(path, version)
        try:
            _apply(path, version, to)
        except BaseException as error:
            _put_back(path, backup, version)
            if isinstance(error, sqlite3.Error | OSError):
                raise OutsideError(
                    f"台账升级没有成功（{_said(error, path)}），仍是原来的台账",
                    f"腾出磁盘空间后再运行；备份在 backup/{backup.name}",
                ) from error
            raise
        return backup
    finally:
        lock.release()


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _said(error: Exception, path: Path) -> str:
    if isinstance(error, OSError):
        return reason_of(error)
    meant = ledger_error(error, path)
    return meant.message if isinstance(meant, JiuzhuError) else str(error)


def _back_up(path: Path, version: int) -> Path:
    """A checked copy beside the other backups; no earlier one is overwritten."""
    folder = path.parent / "backup"
    temporary = folder / f".ledger-v{version}.{os.getpid()}.tmp"
    try:
        folder.mkdir(exist_ok=True, mode=0o700)
        os.close(os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(temporary)) as new:
            old.backup(new)
            if new.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
                raise damaged(path)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        target, number = folder / f"ledger-v{version}.db", 1
        while target.exists():
            number += 1
            target = folder / f"ledger-v{version}_{number}.db"
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if not isinstance(error, sqlite3.Error | OSError):
            raise
        raise OutsideError(
            f"升级台账前先要备份，但写不了备份：{_said(error, path)}", "腾出磁盘空间、检查 backup 文件夹的权限后再运行"
        ) from error
    return target


def _apply(path: Path, version: int, to: int) -> None:
    """All steps and the new version in one transaction, then a look at what came out."""
    steps = "\n".join(MIGRATIONS[number] for number in range(version, to))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(f"BEGIN IMMEDIATE;\n{steps}\nPRAGMA user_version={to};\nCOMMIT;")
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("升级后的台账通不过检查")
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise sqlite3.DatabaseError("升级后的台账前后对不上")
        with contextlib.suppress(sqlite3.Error):  # where there is no room for it the ledger is as good, only larger
            connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
            connection.execute("VACUUM")


def _put_back(path: Path, backup: Path, version: int) -> None:
    """The ledger as it was. A transaction rolled back needs nothing; only a ledger that is no longer whole is replaced."""
    with contextlib.suppress(sqlite3.Error):
        if _version(path) == version:  # opening it rolls the interrupted transaction back
            with closing(sqlite3.connect(path)) as connection:
                if connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok":
                    return
    candidate = path.with_name(".restore.db")
    try:
        os.close(os.open(candidate, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(backup)) as old, closing(sqlite3.connect(candidate)) as new:
            old.backup(new)
        candidate.replace(path)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            candidate.unlink()
        raise OutsideError(
            f"台账升级没有成功，也没能自动恢复：{_said(error, path)}", f"用 jiuzhu restore backup/{backup.name} 恢复"
        ) from error
