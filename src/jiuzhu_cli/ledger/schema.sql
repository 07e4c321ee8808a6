-- The record. Money in 分 (integer), IDs and accounts text, months 'YYYY-MM', dates 'YYYY-MM-DD', times UTC ISO.
-- A roll (花名册) is the list of one programme, one area, one month: one batch. Rows are persons; a case is what is paid
-- (household or person); the case's figures stand once, on the row with lead=1, and are NULL on its other rows.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE journal (                       -- append-only, hash-chained
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL, actor TEXT NOT NULL, command TEXT NOT NULL,
  entity TEXT NOT NULL,                      -- e.g. 'batch:12', 'payment:3'
  detail TEXT NOT NULL,                      -- JSON, masked
  digest TEXT NOT NULL DEFAULT '',           -- SHA-256 of the file read or written, '' when none
  previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;

CREATE TABLE policy_version (                -- the policy that results were computed with: all its files, compressed, by their digest
  digest TEXT PRIMARY KEY, content BLOB NOT NULL, kept_at TEXT NOT NULL
) STRICT;

CREATE TABLE output_file (                   -- manifest of everything written for people or banks
  path TEXT PRIMARY KEY,                     -- relative to the workspace, '/' separators
  entity TEXT NOT NULL, kind TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
  lines INTEGER, amount_fen INTEGER, written_at TEXT NOT NULL
) STRICT;

-- intake -------------------------------------------------------------------------------------------------
CREATE TABLE batch (
  batch_id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('roll','register')),
  programme TEXT NOT NULL,                   -- programme or register code
  area TEXT NOT NULL,                        -- town name, 'town/village' or '' (whole district)
  month TEXT NOT NULL,                       -- '' only for registers without one
  part TEXT NOT NULL DEFAULT '',             -- distinguishes disjoint lists under one key (城市/农村, 第二批)
  status TEXT NOT NULL CHECK (status IN ('active','superseded','undone')),
  supersedes INTEGER REFERENCES batch, supplements INTEGER REFERENCES batch,
  file_name TEXT NOT NULL, file_sha256 TEXT NOT NULL, content_sha256 TEXT NOT NULL,
  rows INTEGER NOT NULL, accepted INTEGER NOT NULL, refused INTEGER NOT NULL,
  added INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL DEFAULT 0,
  withdrawn INTEGER NOT NULL DEFAULT 0, unchanged INTEGER NOT NULL DEFAULT 0,
  amount_fen INTEGER NOT NULL, stated_total_fen INTEGER,
  policy_digest TEXT NOT NULL, actor TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX batch_live ON batch (kind, programme, area, month, part)
  WHERE status = 'active' AND supplements IS NULL;
CREATE INDEX batch_content ON batch (content_sha256);

CREATE TABLE batch_replaced (                -- all that a batch supersedes (batch.supersedes is the first); undo brings them back
  batch_id INTEGER NOT NULL REFERENCES batch, replaced INTEGER NOT NULL REFERENCES batch, PRIMARY KEY (batch_id, replaced)
) STRICT, WITHOUT ROWID;

CREATE TABLE batch_table (                   -- one table found on one sheet
  batch_id INTEGER NOT NULL REFERENCES batch, table_no INTEGER NOT NULL,
  sheet TEXT NOT NULL, header_row INTEGER NOT NULL, columns TEXT NOT NULL, -- JSON [{column, header, field, why}]
  rows INTEGER NOT NULL, accepted INTEGER NOT NULL, refused INTEGER NOT NULL, stated_total_fen INTEGER,
  title TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (batch_id, table_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding (
  finding_id INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch,
  table_no INTEGER NOT NULL, row INTEGER NOT NULL, column_letters TEXT NOT NULL, field TEXT NOT NULL,
  code TEXT NOT NULL, severity TEXT NOT NULL, shown TEXT NOT NULL, detail TEXT NOT NULL  -- JSON values, masked
) STRICT;
CREATE INDEX finding_batch ON finding (batch_id);

CREATE TABLE roll_row (                      -- one person on one roll
  row_id INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch,
  table_no INTEGER NOT NULL, source_row INTEGER NOT NULL,
  case_no INTEGER NOT NULL, lead INTEGER NOT NULL,         -- case number within the batch; lead=1: carries the case's figures
  id_no TEXT NOT NULL, name TEXT NOT NULL, relation TEXT, head_id_no TEXT, head_name TEXT,
  town TEXT NOT NULL, village TEXT NOT NULL,
  category TEXT,                             -- 城市/农村, 集中/分散, 急难型 ... as the programme's file names it
  household_size INTEGER, covered_persons INTEGER,         -- case
  amount_fen INTEGER, base_fen INTEGER, addon_fen INTEGER, care_fen INTEGER,  -- case; amount_fen is what is paid
  income_fen INTEGER, income_period TEXT,    -- case: household income as stated, 'month' or 'year'
  assets_fen INTEGER,                        -- case: household financial assets
  payee_name TEXT, payee_id_no TEXT, account_no TEXT, bank_name TEXT,         -- case
  phone TEXT, address TEXT, case_code TEXT,  -- 低保证号 / 家庭编号
  care_mode TEXT, self_care TEXT, disability_no TEXT, disability_kind TEXT, disability_grade TEXT,
  illness TEXT, work_ability TEXT, cause TEXT, claimed_status TEXT, stage TEXT, grade TEXT,
  kin_filed TEXT,                            -- 近亲属备案 as the roll states it
  start_month TEXT, event_date TEXT, remark TEXT,
  extra TEXT,                                -- JSON of the columns kept as they are, by header
  area_code TEXT,                            -- 12-digit division code of town and village, where told for sure
  bank_code TEXT,                            -- CNAPS number (联行号), 12 digits
  id_key INTEGER AS (CAST(substr(id_no, 9, 9) AS INTEGER)) VIRTUAL,    -- keys.py: how persons are found; take no room in the row
  name_key INTEGER AS (unicode(name) % 2048 * 4096 + unicode(substr(name, -1)) % 4096) VIRTUAL
) STRICT;
CREATE INDEX roll_person ON roll_row (id_key, name_key);     -- holds both keys: a search by name reads the index only
CREATE INDEX roll_case ON roll_row (batch_id, case_no);

CREATE TABLE register_row (                  -- one line of an external list (never paid)
  row_id INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch,
  table_no INTEGER NOT NULL, source_row INTEGER NOT NULL,
  id_no TEXT NOT NULL, name TEXT NOT NULL, event_date TEXT, valid_from TEXT, valid_to TEXT, status TEXT,
  kind TEXT, grade TEXT, certificate_no TEXT, related_id_no TEXT, related_name TEXT, relation TEXT,
  organisation TEXT, amount_fen INTEGER, town TEXT NOT NULL DEFAULT '', village TEXT NOT NULL DEFAULT '', extra TEXT,
  area_code TEXT,
  id_key INTEGER AS (CAST(substr(id_no, 9, 9) AS INTEGER)) VIRTUAL,
  name_key INTEGER AS (unicode(name) % 2048 * 4096 + unicode(substr(name, -1)) % 4096) VIRTUAL,
  related_key INTEGER AS (CAST(substr(related_id_no, 9, 9) AS INTEGER)) VIRTUAL,
  quantity TEXT,                             -- 亩, 头, 月 as written
  account_no TEXT, bank_name TEXT            -- where an agreement on file has the money paid, or a mended account
) STRICT;
CREATE INDEX register_person ON register_row (id_key, name_key);
CREATE INDEX register_related ON register_row (related_key) WHERE related_id_no IS NOT NULL;
CREATE INDEX register_batch ON register_row (batch_id);

CREATE TABLE column_mapping (                -- what somebody said that a column of a sender's form means, used again next month
  mapping_id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('roll','register')), programme TEXT NOT NULL,
  sender TEXT NOT NULL,                      -- town whose lists it holds for; '': lists that name no town
  form TEXT NOT NULL,                        -- digest of all headers of the form; '': the header alone tells the column
  header TEXT NOT NULL, column_letters TEXT NOT NULL,      -- normalised header, or '' and the column's letters
  shown TEXT NOT NULL,                       -- the header as it stood in the file
  field TEXT NOT NULL,                       -- glossary code; '': not used
  state TEXT NOT NULL CHECK (state IN ('active','replaced','forgotten','contradicted')),
  actor TEXT NOT NULL, created_at TEXT NOT NULL,
  ended_by TEXT NOT NULL DEFAULT '', ended_at TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX column_mapping_live ON column_mapping (kind, programme, sender, form, header, column_letters) WHERE state = 'active';

-- dedupe -------------------------------------------------------------------------------------------------
CREATE TABLE doubt (
  doubt_id TEXT PRIMARY KEY,                 -- 'D000001'
  doubt_key TEXT NOT NULL UNIQUE,            -- what makes it the same doubt next month
  kind TEXT NOT NULL, code TEXT NOT NULL,    -- kinds: core/doubt.py
  rule TEXT NOT NULL DEFAULT '',             -- relation or claim it rests on
  severity TEXT NOT NULL CHECK (severity IN ('strong','candidate')),
  month_from TEXT NOT NULL, month_to TEXT NOT NULL,
  id_no_a TEXT NOT NULL, name_a TEXT NOT NULL, programme_a TEXT NOT NULL, area_a TEXT NOT NULL, source_a TEXT NOT NULL,
  id_no_b TEXT NOT NULL, name_b TEXT NOT NULL, programme_b TEXT NOT NULL, area_b TEXT NOT NULL, source_b TEXT NOT NULL,
  amount_fen INTEGER NOT NULL, evidence TEXT NOT NULL, basis TEXT NOT NULL,
  facts TEXT NOT NULL DEFAULT '',            -- JSON: persons, programmes, accounts, dates that a decision rests on
  state TEXT NOT NULL CHECK (state IN ('open','gone')),    -- gone: the rolls no longer show it
  result TEXT NOT NULL DEFAULT '',           -- what was found (处理结果); '': as the disposition implies
  disposition TEXT NOT NULL DEFAULT 'pending', disposition_note TEXT NOT NULL DEFAULT '',  -- what follows, with the side
  disposed_by TEXT NOT NULL DEFAULT '', disposed_at TEXT NOT NULL DEFAULT '',              -- who read it in, when
  checked_by TEXT NOT NULL DEFAULT '', checked_on TEXT NOT NULL DEFAULT '',                -- who looked into it, when
  decided_facts TEXT NOT NULL DEFAULT '',    -- facts as they were when somebody decided
  opened_at TEXT NOT NULL DEFAULT '',        -- since when it waits for a decision: the deadline counts from here
  run_month TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL
) STRICT;
CREATE INDEX doubt_person_a ON doubt (id_no_a);
CREATE INDEX doubt_person_b ON doubt (id_no_b);
CREATE TABLE doubt_month (                   -- in which months the rolls show it, and what was at stake in each
  doubt_id TEXT NOT NULL REFERENCES doubt, month TEXT NOT NULL, amount_fen INTEGER NOT NULL,
  decided_fen INTEGER,                       -- the amount as it was when somebody decided; NULL: not decided for this month
  row_a INTEGER, row_b INTEGER,              -- roll_row, or register_row when negative
  fen_a INTEGER, fen_b INTEGER, fact TEXT,   -- what each side had; what else the sentence needs (a cap in 分, a date)
  PRIMARY KEY (doubt_id, month)
) STRICT, WITHOUT ROWID;
CREATE TABLE doubt_history (                 -- what happened to a doubt
  event_id INTEGER PRIMARY KEY, doubt_id TEXT NOT NULL REFERENCES doubt,
  at TEXT NOT NULL, actor TEXT NOT NULL, month TEXT NOT NULL DEFAULT '',  -- month: of the run that noticed
  event TEXT NOT NULL CHECK (event IN ('decided','reopened','gone','back')),
  result TEXT NOT NULL DEFAULT '', disposition TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
  checked_by TEXT NOT NULL DEFAULT '', checked_on TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT ''            -- file, sheet and cell that said so; for a reopening: what changed
) STRICT;
CREATE INDEX doubt_history_doubt ON doubt_history (doubt_id);

-- review -------------------------------------------------------------------------------------------------
CREATE TABLE proposal (
  case_id TEXT PRIMARY KEY,                  -- 'R000001'
  proposal_key TEXT NOT NULL UNIQUE,
  month TEXT NOT NULL, programme TEXT NOT NULL, area TEXT NOT NULL,
  id_no TEXT NOT NULL, name TEXT NOT NULL,   -- the case's head (or the person)
  action TEXT NOT NULL CHECK (action IN ('start','increase','decrease','stop','grace','transfer','keep','check')),
  amount_before_fen INTEGER, amount_after_fen INTEGER, effective_month TEXT NOT NULL,
  reasons TEXT NOT NULL, basis TEXT NOT NULL, steps TEXT NOT NULL,   -- steps: JSON, how the amount was found
  needs_hearing INTEGER NOT NULL, policy_digest TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open','gone','agreed','rejected','effective')),
  decision_note TEXT NOT NULL DEFAULT '', hearing_date TEXT NOT NULL DEFAULT '', notice_date TEXT NOT NULL DEFAULT '',
  decided_by TEXT NOT NULL DEFAULT '', decided_at TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL,
  maker TEXT NOT NULL DEFAULT '',            -- 决定人, as the workbook names them; decided_by is who read it in
  checker TEXT NOT NULL DEFAULT ''           -- 复核人
) STRICT;
CREATE INDEX proposal_person ON proposal (id_no);
CREATE TABLE case_link (                     -- which case goes on as which: under a new head, or under another programme
  month TEXT NOT NULL, programme TEXT NOT NULL, new_id_no TEXT NOT NULL,   -- the roll that first shows it, and its lead
  old_id_no TEXT NOT NULL, from_programme TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('head_dead','transfer')),
  case_id TEXT NOT NULL DEFAULT '',          -- the decision that ended the old case
  PRIMARY KEY (month, programme, new_id_no)
) STRICT, WITHOUT ROWID;
-- what steps say of the parameter they used: {parameter, unit, since, source, confirmed}; a step names it as "of"
CREATE TABLE step_source (source_id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE decision_batch (                -- what one `review decide` took down: taken back as a whole
  decision_id INTEGER PRIMARY KEY, file_names TEXT NOT NULL,
  applied INTEGER NOT NULL, effective INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active','undone')),
  actor TEXT NOT NULL, created_at TEXT NOT NULL, undone_by TEXT NOT NULL DEFAULT '', undone_at TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE decision_line (
  decision_id INTEGER NOT NULL REFERENCES decision_batch, case_id TEXT NOT NULL REFERENCES proposal,
  before TEXT NOT NULL, after TEXT NOT NULL, -- JSON of the proposal's columns that a decision writes
  source TEXT NOT NULL DEFAULT '',           -- file, sheet and cell that said so
  PRIMARY KEY (decision_id, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX decision_case ON decision_line (case_id);

-- posting ------------------------------------------------------------------------------------------------
CREATE TABLE posting (
  posting_id INTEGER PRIMARY KEY, programme TEXT NOT NULL, town TEXT NOT NULL, village TEXT NOT NULL,
  month TEXT NOT NULL, round TEXT NOT NULL CHECK (round IN ('first','final')),
  households INTEGER NOT NULL, persons INTEGER NOT NULL, amount_fen INTEGER NOT NULL,
  from_date TEXT NOT NULL, to_date TEXT NOT NULL, content_sha256 TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open','closed','replaced')),
  created_by TEXT NOT NULL, created_at TEXT NOT NULL, closed_by TEXT NOT NULL DEFAULT '', closed_at TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX posting_live ON posting (programme, town, village, month, round) WHERE state <> 'replaced';
CREATE TABLE objection (
  objection_id INTEGER PRIMARY KEY, posting_id INTEGER NOT NULL REFERENCES posting,
  id_no TEXT NOT NULL DEFAULT '', text TEXT NOT NULL, received_on TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open','upheld','dismissed')), resolution TEXT NOT NULL DEFAULT '',
  resolved_by TEXT NOT NULL DEFAULT '', resolved_at TEXT NOT NULL DEFAULT ''
) STRICT;

-- payment ------------------------------------------------------------------------------------------------
CREATE TABLE obligation (                    -- what is owed once: one programme, one month, one recipient, one purpose
  obligation_id INTEGER PRIMARY KEY,
  programme TEXT NOT NULL, month TEXT NOT NULL, recipient_id_no TEXT NOT NULL, item TEXT NOT NULL DEFAULT '', -- month: owed for; item: instalment
  purpose TEXT NOT NULL DEFAULT 'regular' CHECK (purpose IN ('regular','back_pay')),
  cause TEXT NOT NULL DEFAULT '',            -- back_pay: what it rests on, e.g. 'case:R000012', 'roll:31', a second time 'roll:31#2'
  recipient_name TEXT NOT NULL, town TEXT NOT NULL, village TEXT NOT NULL,
  amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), persons INTEGER NOT NULL,
  roll_row_id INTEGER NOT NULL, case_id TEXT NOT NULL DEFAULT '',      -- review case that changed the amount
  UNIQUE (programme, month, recipient_id_no, item, purpose, cause), CHECK ((purpose = 'regular') = (cause = ''))
) STRICT;
CREATE INDEX obligation_recipient ON obligation (recipient_id_no);
-- an instalment or a single event is owed once ever, in whatever month's roll it stands
CREATE UNIQUE INDEX obligation_once ON obligation (programme, recipient_id_no, item) WHERE item <> '' AND purpose = 'regular';
CREATE TABLE payment_batch (                 -- states and their moves: core/payment_states.py; month: paid in
  payment_id INTEGER PRIMARY KEY, month TEXT NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('regular','retry','back_pay')),
  state TEXT NOT NULL CHECK (state IN ('draft','locked','approved','released','exported','reconciled','closed','cancelled')),
  lines INTEGER NOT NULL, amount_fen INTEGER NOT NULL, control_sha256 TEXT NOT NULL DEFAULT '',
  policy_digest TEXT NOT NULL, override_reason TEXT NOT NULL DEFAULT '',
  drafted_by TEXT NOT NULL, drafted_at TEXT NOT NULL, locked_by TEXT NOT NULL DEFAULT '', locked_at TEXT NOT NULL DEFAULT '',
  approved_by TEXT NOT NULL DEFAULT '', approved_at TEXT NOT NULL DEFAULT '', released_by TEXT NOT NULL DEFAULT '', released_at TEXT NOT NULL DEFAULT '',
  exported_at TEXT NOT NULL DEFAULT '', closed_by TEXT NOT NULL DEFAULT '', closed_at TEXT NOT NULL DEFAULT '',
  UNIQUE (month, sequence), CHECK (approved_by = '' OR approved_by <> drafted_by)
) STRICT;
CREATE TABLE payment_move (                  -- every move of a batch: who, when, why; append-only
  move_id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL REFERENCES payment_batch,
  from_state TEXT NOT NULL, to_state TEXT NOT NULL,        -- from '': it was made
  actor TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
  control_sha256 TEXT NOT NULL DEFAULT '', signer TEXT NOT NULL DEFAULT '', signature TEXT NOT NULL DEFAULT '',  -- signer: key_id
  level TEXT NOT NULL DEFAULT '',            -- of the approver; an approval that needs another above it leaves the batch locked
  digest TEXT NOT NULL DEFAULT ''            -- over this move and the one before it of the batch; what is signed
) STRICT;
CREATE INDEX payment_move_batch ON payment_move (payment_id);
CREATE TABLE payment_basis (basis_id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE) STRICT; -- why a line has its amount (JSON), shared by lines
CREATE TABLE payment_line (
  line_id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL REFERENCES payment_batch, line_no INTEGER NOT NULL,
  transfer_no INTEGER NOT NULL,              -- row of the bank's file: lines of one payee combined have the same
  obligation_id INTEGER NOT NULL REFERENCES obligation,
  bank TEXT NOT NULL, account_no TEXT NOT NULL, payee_name TEXT NOT NULL, payee_id_no TEXT NOT NULL, bank_name TEXT NOT NULL DEFAULT '',
  bank_code TEXT NOT NULL DEFAULT '',        -- CNAPS number (联行号), where told
  amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),      -- what the bank pays
  set_off_fen INTEGER NOT NULL DEFAULT 0 CHECK (set_off_fen >= 0),    -- kept back towards a recovery; both together are owed
  roll_row_id INTEGER NOT NULL DEFAULT 0, case_id TEXT NOT NULL DEFAULT '', -- as at drafting; the obligation's may be told anew by a later try
  parts TEXT NOT NULL DEFAULT '',            -- JSON: persons, basic, added and care amounts that the amount is made of, as the roll has them
  basis_id INTEGER REFERENCES payment_basis, digest TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL CHECK (state IN ('due','sent','paid','failed','reversed','cancelled')), reason TEXT NOT NULL DEFAULT '',
  reason_code TEXT NOT NULL DEFAULT '', returned_at TEXT NOT NULL DEFAULT '', UNIQUE (payment_id, line_no)
) STRICT;
CREATE INDEX payment_line_obligation ON payment_line (obligation_id);
CREATE INDEX payment_line_refused ON payment_line (payment_id) WHERE state IN ('failed','reversed'); -- few: what came back of a batch
-- the heart of "once": an obligation has at most one line that is under way or paid
CREATE UNIQUE INDEX payment_once ON payment_line (obligation_id) WHERE state IN ('due','sent','paid');
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
-- a table of moves, as for batches, would be made anew for every line: half the time of a million
CREATE TRIGGER payment_line_moves BEFORE UPDATE OF state ON payment_line WHEN NEW.state <> OLD.state AND NOT CASE OLD.state
  WHEN 'due' THEN NEW.state = 'sent' OR NEW.state = 'cancelled' WHEN 'sent' THEN NEW.state = 'paid' OR NEW.state = 'failed'
  WHEN 'paid' THEN NEW.state = 'reversed' WHEN 'failed' THEN NEW.state = 'paid' ELSE 0 END
BEGIN SELECT RAISE(ABORT, 'payment: this move of a line is not allowed'); END;
CREATE TRIGGER payment_line_closed BEFORE UPDATE ON payment_line
WHEN (SELECT state FROM payment_batch WHERE payment_id = OLD.payment_id) = 'closed'
  AND (NEW.state NOT IN ('reversed','paid') OR NOT EXISTS (SELECT 1 FROM payment_correction c WHERE c.line_id = OLD.line_id AND c.state = 'done'))
BEGIN SELECT RAISE(ABORT, 'payment: a closed batch cannot change'); END;
CREATE TABLE payment_total (                 -- what the batch was declared to come to, three ways
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
CREATE TABLE signing_key (                   -- public keys of those who sign; after_move, revoked_after: the last move made by then
  key_id TEXT PRIMARY KEY, person TEXT NOT NULL, public_key TEXT NOT NULL UNIQUE, proof TEXT NOT NULL,  -- proof: the key's own signature
  enrolled_by TEXT NOT NULL, enrolled_at TEXT NOT NULL, after_move INTEGER NOT NULL,
  revoked_by TEXT NOT NULL DEFAULT '', revoked_at TEXT NOT NULL DEFAULT '', revoked_after INTEGER, reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX signing_key_live ON signing_key (person) WHERE revoked_at = '';
CREATE TRIGGER signing_key_fixed BEFORE UPDATE OF key_id, person, public_key, proof, enrolled_by, enrolled_at, after_move ON signing_key
BEGIN SELECT RAISE(ABORT, 'signing_key: what was enrolled stands'); END;
CREATE TRIGGER signing_key_revoked BEFORE UPDATE ON signing_key WHEN OLD.revoked_at <> ''
BEGIN SELECT RAISE(ABORT, 'signing_key: revoked once and for all'); END;
CREATE TRIGGER signing_key_kept BEFORE DELETE ON signing_key BEGIN SELECT RAISE(ABORT, 'signing_key: keys are never deleted'); END;
CREATE TABLE payment_hold (                  -- cases left out of a batch, and why
  payment_id INTEGER NOT NULL REFERENCES payment_batch, programme TEXT NOT NULL, recipient_id_no TEXT NOT NULL, recipient_name TEXT NOT NULL,
  town TEXT NOT NULL, amount_fen INTEGER, code TEXT NOT NULL, reason TEXT NOT NULL, source TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX payment_hold_recipient ON payment_hold (recipient_id_no);
CREATE TABLE hold_override (                 -- one case let through one gate for one month (单笔放行): asked by one, agreed by another
  override_id INTEGER PRIMARY KEY, month TEXT NOT NULL, programme TEXT NOT NULL, recipient_id_no TEXT NOT NULL, item TEXT NOT NULL DEFAULT '',
  recipient_name TEXT NOT NULL, town TEXT NOT NULL, code TEXT NOT NULL, hold_reason TEXT NOT NULL, reason TEXT NOT NULL CHECK (reason <> ''),
  asked_by TEXT NOT NULL, asked_at TEXT NOT NULL, agreed_by TEXT NOT NULL DEFAULT '', agreed_at TEXT NOT NULL DEFAULT '',
  ended_by TEXT NOT NULL DEFAULT '', ended_at TEXT NOT NULL DEFAULT '', ended_reason TEXT NOT NULL DEFAULT '',
  CHECK (agreed_by = '' OR agreed_by <> asked_by)
) STRICT;
CREATE UNIQUE INDEX hold_override_live ON hold_override (month, programme, recipient_id_no, item, code) WHERE ended_at = '';
CREATE TABLE payment_override (              -- lines of a batch that a gate would have held: what it said, why they go out all the same, and who agreed
  payment_id INTEGER NOT NULL REFERENCES payment_batch, line_id INTEGER NOT NULL REFERENCES payment_line,
  code TEXT NOT NULL, hold_reason TEXT NOT NULL, reason TEXT NOT NULL CHECK (reason <> ''),
  asked_by TEXT NOT NULL, asked_at TEXT NOT NULL,
  agreed_by TEXT NOT NULL DEFAULT '', agreed_at TEXT NOT NULL DEFAULT '',  -- of the whole batch's: who approved it
  override_id INTEGER REFERENCES hold_override,            -- NULL: pay draft --override
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
CREATE INDEX payment_failed ON payment_line (obligation_id) WHERE state IN ('failed','reversed'); -- asked for at every draft
CREATE TABLE bank_return (
  return_id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL REFERENCES payment_batch, bank TEXT NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL,
  lines INTEGER NOT NULL, succeeded INTEGER NOT NULL, failed INTEGER NOT NULL, partial INTEGER NOT NULL, missing INTEGER NOT NULL, unknown INTEGER NOT NULL,
  amount_fen INTEGER NOT NULL, read_by TEXT NOT NULL, read_at TEXT NOT NULL,
  UNIQUE (payment_id, sha256)                -- a retry of one line may look byte for byte like last month's
) STRICT;

-- what a paid month still owes, or was paid too much --------------------------------------------------------
CREATE TABLE back_pay (                      -- 补发: money owed for a month that was paid already: found, decided on, then drafted
  back_pay_id INTEGER PRIMARY KEY,
  programme TEXT NOT NULL, month TEXT NOT NULL, recipient_id_no TEXT NOT NULL, item TEXT NOT NULL DEFAULT '',
  cause TEXT NOT NULL,                       -- what it rests on: 'roll:31', 'case:R000012', 'missed', 'objection:4', 'recovery:7'; of the obligation too
  amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),      -- as last found
  recipient_name TEXT NOT NULL, town TEXT NOT NULL, village TEXT NOT NULL, roll_row_id INTEGER NOT NULL, reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('found','confirmed','declined','gone')),      -- gone: the record no longer shows it
  found_by TEXT NOT NULL, found_at TEXT NOT NULL,
  decided_by TEXT NOT NULL DEFAULT '', decided_at TEXT NOT NULL DEFAULT '', decision_note TEXT NOT NULL DEFAULT '',
  UNIQUE (programme, month, recipient_id_no, item, cause)
) STRICT;
CREATE INDEX back_pay_recipient ON back_pay (recipient_id_no);
-- a month that was missed is owed whole: as back-pay or as the month's own, never as both
CREATE UNIQUE INDEX obligation_missed ON obligation (programme, month, recipient_id_no, item) WHERE cause = 'missed';
CREATE INDEX obligation_back_pay ON obligation (month) WHERE purpose = 'back_pay';
CREATE TRIGGER obligation_missed_before BEFORE INSERT ON obligation WHEN NEW.purpose = 'regular' AND EXISTS (SELECT 1 FROM obligation o WHERE
  o.cause = 'missed' AND o.programme = NEW.programme AND o.month = NEW.month AND o.recipient_id_no = NEW.recipient_id_no AND o.item = NEW.item)
BEGIN SELECT RAISE(ABORT, 'payment: this month is owed as back-pay already'); END;
CREATE TRIGGER obligation_owed_before BEFORE INSERT ON obligation WHEN NEW.cause = 'missed' AND EXISTS (SELECT 1 FROM obligation o WHERE
  o.programme = NEW.programme AND o.month = NEW.month AND o.recipient_id_no = NEW.recipient_id_no AND o.item = NEW.item AND o.purpose = 'regular')
BEGIN SELECT RAISE(ABORT, 'payment: this month is owed already'); END;
CREATE TABLE payment_correction (            -- 冲正: a line booked as paid whose money came back (退汇), or that was booked wrongly; or refused, and paid after all
  correction_id INTEGER PRIMARY KEY, line_id INTEGER NOT NULL REFERENCES payment_line,
  kind TEXT NOT NULL CHECK (kind IN ('bank_returned','booked_wrong','paid_after_all')), amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
  on_date TEXT NOT NULL, reference TEXT NOT NULL, reason TEXT NOT NULL,
  asked_by TEXT NOT NULL, asked_at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asked','done','dropped')),   -- done: another person confirmed it, the line is reversed (or paid)
  answered_by TEXT NOT NULL DEFAULT '', answered_at TEXT NOT NULL DEFAULT '', CHECK (state <> 'done' OR answered_by NOT IN ('', asked_by))
) STRICT;
CREATE UNIQUE INDEX payment_correction_once ON payment_correction (line_id, kind = 'paid_after_all') WHERE state <> 'dropped';
CREATE TRIGGER payment_line_paid_after_all BEFORE UPDATE OF state ON payment_line WHEN OLD.state = 'failed' AND NEW.state = 'paid' AND NOT EXISTS
  (SELECT 1 FROM payment_correction c WHERE c.line_id = OLD.line_id AND c.kind = 'paid_after_all' AND c.state = 'done')
BEGIN SELECT RAISE(ABORT, 'payment: what was refused is booked as paid by a correction only'); END;
CREATE TRIGGER payment_correction_kept BEFORE DELETE ON payment_correction BEGIN SELECT RAISE(ABORT, 'payment: corrections are never deleted'); END;
CREATE TRIGGER payment_correction_fixed BEFORE UPDATE ON payment_correction WHEN OLD.state <> 'asked'
BEGIN SELECT RAISE(ABORT, 'payment: this correction was answered'); END;
CREATE TABLE recovery (                      -- 追缴: a paid line of which something was not owed; its money stands in recovery_entry
  recovery_id INTEGER PRIMARY KEY, line_id INTEGER NOT NULL UNIQUE REFERENCES payment_line,
  code TEXT NOT NULL, cause TEXT NOT NULL, reason TEXT NOT NULL,     -- cause: 'death', 'doubt:D000001', 'case:R000012', 'roll:31'
  set_off INTEGER NOT NULL DEFAULT 0 CHECK (set_off IN (0, 1)),      -- somebody agreed that later payments be reduced
  opened_by TEXT NOT NULL, opened_at TEXT NOT NULL
) STRICT;
CREATE TABLE recovery_entry (                -- append-only; claimed − repaid − waived − set off is what is still to come back
  entry_id INTEGER PRIMARY KEY, recovery_id INTEGER NOT NULL REFERENCES recovery,
  kind TEXT NOT NULL CHECK (kind IN ('claim','repayment','waiver')), amount_fen INTEGER NOT NULL CHECK (amount_fen <> 0),  -- negative takes back
  on_date TEXT NOT NULL DEFAULT '', receipt TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '',
  entry_key TEXT NOT NULL UNIQUE,            -- what makes it the same entry when it is read again
  actor TEXT NOT NULL, at TEXT NOT NULL,
  confirmed_by TEXT NOT NULL DEFAULT '', confirmed_at TEXT NOT NULL DEFAULT '',      -- a waiver counts once another person has confirmed it
  CHECK (confirmed_by <> actor)
) STRICT;
CREATE INDEX recovery_entry_claim ON recovery_entry (recovery_id);
CREATE TRIGGER recovery_entry_kept BEFORE DELETE ON recovery_entry BEGIN SELECT RAISE(ABORT, 'recovery_entry is append-only'); END;
CREATE TRIGGER recovery_entry_fixed BEFORE UPDATE ON recovery_entry WHEN OLD.confirmed_by <> '' OR NEW.confirmed_by = '' OR OLD.kind <> 'waiver'
  OR (NEW.recovery_id, NEW.kind, NEW.amount_fen, NEW.entry_key, NEW.actor) <> (OLD.recovery_id, OLD.kind, OLD.amount_fen, OLD.entry_key, OLD.actor)
BEGIN SELECT RAISE(ABORT, 'recovery_entry is append-only'); END;
CREATE TABLE recovery_set_off (              -- what a payment's line keeps back, towards which claim; counts while the line is under way or paid
  line_id INTEGER NOT NULL REFERENCES payment_line ON DELETE CASCADE, recovery_id INTEGER NOT NULL REFERENCES recovery,
  amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), PRIMARY KEY (line_id, recovery_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_set_off_claim ON recovery_set_off (recovery_id);
CREATE TABLE payment_sum (                   -- what a locked batch comes to, as its papers say it: kept, so that later tries change no month
  payment_id INTEGER NOT NULL REFERENCES payment_batch, programme TEXT NOT NULL, category TEXT NOT NULL, town TEXT NOT NULL,
  again INTEGER NOT NULL CHECK (again IN (0,1)),           -- 1: lines of obligations that an earlier batch had tried to pay
  lines INTEGER NOT NULL, recipients INTEGER NOT NULL, persons INTEGER NOT NULL, amount_fen INTEGER NOT NULL, set_off_fen INTEGER NOT NULL,
  control_sha256 TEXT NOT NULL,             -- of the lines summed up: after another lock they are others
  PRIMARY KEY (payment_id, programme, category, town, again)
) STRICT, WITHOUT ROWID;
