"""Status falsely claimed (身份不符): a roll says 低保户 of a person whom the 低保 roll does not bear out.

Words come from the policy's claims; the longest match wins, so that 低保边缘 is not read as 低保. Members of the household count: a head whose household is on the roll through somebody else is in order. Judged only
where the claimed programme's roll of that town and month was imported.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.dedupe.facts import COVERED
from jiuzhu_cli.dedupe.hits import insert_rows
from jiuzhu_cli.dedupe.terms import DUE, compiled, in_force
from jiuzhu_cli.ledger.circumstances import ENDED

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Claim

_NOT = re.compile(r"(非|不是|不属于|未纳入|未享受|没有|原|曾|已退出|退出|拟|申请)$")


@dataclass(frozen=True, slots=True)
class ClaimWord:
    """One word that states a status, and the claim of the policy it belongs to."""

    word: str
    claim: Claim


def claim_words(claims: Iterable[Claim]) -> list[ClaimWord]:
    """All words that state a status, longest first."""
    found: dict[str, ClaimWord] = {}
    for claim in claims:
        for word in claim.words:
            found.setdefault(compact(word), ClaimWord(compact(word), claim))
    return sorted(found.values(), key=lambda one: (-len(one.word), one.word))


def stated(text: str, words: Iterable[ClaimWord]) -> list[Claim]:
    """The statuses that ``text`` states, longest words first and each stretch of text read once; 非低保 states nothing."""
    flat = compact(text)
    found: list[Claim] = []
    for one in words:
        start = flat.find(one.word)
        while start >= 0:
            if not _NOT.search(flat[:start]) and one.claim not in found:
                found.append(one.claim)
            flat = flat[:start] + "|" * len(one.word) + flat[start + len(one.word) :]
            start = flat.find(one.word)
    return found


_TABLES = """
CREATE TABLE claim_word (month VARCHAR, text VARCHAR, rule VARCHAR);
CREATE TABLE claim_rule (month VARCHAR, rule VARCHAR, claimed VARCHAR, holder VARCHAR, severity VARCHAR, kin BOOLEAN, tier BOOLEAN);
CREATE TABLE claim_proof (month VARCHAR, rule VARCHAR, programme VARCHAR);
CREATE TABLE claim_needs (month VARCHAR, rule VARCHAR, programme VARCHAR);
CREATE TABLE claim_line (row_id BIGINT, rule VARCHAR);
"""

# Lines that claim by what they are paid.
_LINES = """
INSERT INTO claim_line SELECT a.row_id, '{rule}' FROM holding a
WHERE a.programme = '{on}' AND a.month IN ({months}) AND {condition}
"""

# Places of which the rolls that a claim needs were not all imported.
_UNCOVERED = """
CREATE TABLE uncovered AS
SELECT DISTINCT n.rule, n.month, p.town, p.village
FROM claim_needs n JOIN (SELECT DISTINCT month, town, village FROM holding) p ON p.month = n.month WHERE NOT {covered}
""".replace("{covered}", COVERED.format(programme="n.programme", month="p.month", town="p.town", village="p.village"))

# One claim a case: the head's word stands for the case in household programmes. A roll does not claim what it is itself a proof of.
_CLAIMS = """
CREATE TABLE claim AS
WITH said AS (
  SELECT h.row_id, w.rule FROM holding h JOIN claim_word w ON w.month = h.month AND w.text = h.claimed_status
  UNION SELECT h.row_id, w.rule FROM holding h JOIN claim_word w ON w.month = h.month AND w.text = h.category
  UNION SELECT h.row_id, r.rule FROM holding h JOIN claim_rule r ON r.month = h.month AND r.holder = h.programme AND NOT r.tier
  UNION SELECT row_id, rule FROM claim_line)
SELECT h.row_id, h.case_id, h.programme, h.month, h.id_no, h.name, h.town, h.village, h.case_fen, r.claimed, r.rule, r.severity, r.kin, r.holder,
  r.tier, coalesce(nullif(h.claimed_status, ''), h.category) AS text,
  CASE WHEN starts_with(r.claimed, 'register:') THEN EXISTS (SELECT 1 FROM register_coverage k WHERE k.register = substr(r.claimed, 10))
    ELSE NOT EXISTS (SELECT 1 FROM uncovered u WHERE u.rule = r.rule AND u.month = h.month AND u.town = h.town AND u.village = h.village) END AS covered
FROM said JOIN holding h USING (row_id) JOIN claim_rule r ON r.month = h.month AND r.rule = said.rule
WHERE NOT EXISTS (SELECT 1 FROM claim_proof y WHERE y.month = h.month AND y.rule = r.rule AND y.programme = h.programme)
QUALIFY row_number() OVER (PARTITION BY h.case_id, r.rule ORDER BY h.lead DESC, h.row_id) = 1
"""

# The person, everybody of their case, and everybody who shares a case with the person anywhere in that month.
_PROVEN = """
CREATE TABLE proven AS
WITH kin AS (
  SELECT row_id, rule, month, id_no FROM claim
  UNION
  SELECT c.row_id, c.rule, c.month, h.id_no FROM claim c JOIN household h ON h.case_id = c.case_id WHERE c.kin
  UNION
  SELECT c.row_id, c.rule, c.month, mate.id_no FROM claim c JOIN household own ON own.id_no = c.id_no AND own.month = c.month
  JOIN household mate ON mate.case_id = own.case_id WHERE c.kin)
SELECT kin.row_id, kin.rule FROM kin JOIN claim_proof y USING (month, rule)
JOIN household h ON h.programme = y.programme AND h.month = kin.month AND h.id_no = kin.id_no
UNION SELECT kin.row_id, kin.rule FROM kin JOIN claim_proof y USING (month, rule)
JOIN standing s ON s.programme = y.programme AND s.month = kin.month AND s.id_no = kin.id_no
"""

# What everyone on a roll must hold (a certificate) is doubted only when the register knows it as ended before the month began:
# whoever is not in the register at all may hold one from elsewhere.
_NOT_LAPSED = f"""
DELETE FROM claim c WHERE holder <> '' AND NOT tier AND starts_with(claimed, 'register:') AND NOT EXISTS (
  SELECT 1 FROM register r JOIN span m ON m.month = c.month WHERE r.register = substr(c.claimed, 10) AND r.id_no = c.id_no
  GROUP BY ALL HAVING max(coalesce(nullif(r.valid_to, ''), nullif(r.event_date, ''),
    CASE WHEN regexp_matches(coalesce(r.status, ''), '{ENDED}') THEN '0000' ELSE '9999' END)) < any_value(m.first_day))
"""

# A roll that lists heads only cannot show who is a member: then the claim can only be a candidate.
_HITS = """
INSERT INTO hit
WITH heads_only AS (
  SELECT programme, month, town FROM cases GROUP BY ALL HAVING sum(persons) > sum(listed) * 1.2),
refused AS (
  SELECT programme, month, split_part(area, '/', 1) AS town, CAST(sum(wanting) AS BIGINT) AS wanting FROM imported WHERE wanting > 0 GROUP BY 1, 2, 3)
SELECT concat_ws('|', 'claim', c.programme, c.claimed, c.id_no), 'claim',
  CASE WHEN c.holder = '' THEN 'claim_not_borne_out' WHEN c.tier THEN 'tier_not_borne_out' ELSE 'ground_not_borne_out' END, c.rule,
  CASE WHEN o.town IS NOT NULL THEN 'candidate' ELSE c.severity END, c.month, c.row_id, NULL,
  c.id_no, c.name, c.programme, c.town, '', '', c.claimed, c.town, coalesce(c.case_fen, 0), coalesce(c.case_fen, 0), 0,
  concat_ws('|', coalesce(c.text, ''), concat_ws(' ', CASE WHEN o.town IS NOT NULL THEN 'heads_only' END, 'refused:' || CAST(f.wanting AS VARCHAR)))
FROM claim c LEFT JOIN heads_only o ON o.programme = c.claimed AND o.month = c.month AND o.town = c.town
LEFT JOIN refused f ON f.programme = c.claimed AND f.month = c.month AND f.town = c.town
WHERE c.covered AND NOT EXISTS (SELECT 1 FROM proven p WHERE p.row_id = c.row_id AND p.rule = c.rule)
  AND NOT (c.tier AND EXISTS (  -- the word that the line states is doubted already
    SELECT 1 FROM claim w WHERE w.row_id = c.row_id AND w.holder = '' AND w.covered
      AND NOT EXISTS (SELECT 1 FROM proven p WHERE p.row_id = w.row_id AND p.rule = w.rule)))
QUALIFY row_number() OVER (PARTITION BY c.programme, c.claimed, c.id_no, c.month ORDER BY c.holder, c.row_id) = 1
"""

_UNJUDGED = """
SELECT claimed, town, month, count(*) FROM claim c WHERE NOT covered
  AND NOT EXISTS (SELECT 1 FROM proven p WHERE p.row_id = c.row_id AND p.rule = c.rule) GROUP BY ALL ORDER BY ALL
"""


def find_claims(connection: Tables, policy: Policy, months: Collection[str]) -> list[dict[str, object]]:
    """Adds claims that are not borne out to ``hit``; ``fact`` is ``what the roll says|flags`` (``heads_only``, ``refused:ROWS`` of the claimed programme's list). Returns what cannot be judged."""
    connection.execute(_TABLES)
    texts = connection.execute(
        "SELECT DISTINCT month, unnest([claimed_status, category]) AS text FROM holding WHERE claimed_status <> '' OR category <> ''"
    ).fetchall()
    for month in sorted(months):
        claims = [claim for claim in policy.claims if in_force(claim, policy, month)]
        # somebody of the household may bear a claim out; what everyone on a roll must hold themselves (a certificate) nobody else can
        rules = [
            (month, c.id, c.programmes[0], c.on, c.severity,
             not c.on or c.level == "household" or not c.programmes[0].startswith("register:"), bool(c.when.strip()))
            for c in claims
        ]  # fmt: skip
        insert_rows(connection, "claim_rule", rows=rules)
        insert_rows(connection, "claim_proof", [(month, c.id, p) for c in claims for p in c.programmes])
        insert_rows(connection, "claim_needs", [(month, c.id, p) for c in claims for p in c.needs or c.programmes[:1]])
        words = claim_words(claim for claim in claims if not claim.on)
        said = sorted({text for of_month, text in texts if text and of_month == month})
        insert_rows(
            connection, "claim_word", [(month, text, claim.id) for text in said for claim in stated(text, words)]
        )
    for claim in policy.claims:
        if held := [month for month in sorted(months) if claim.when.strip() and in_force(claim, policy, month)]:
            true = compiled(claim.when, claim.at(f"声称 {claim.id} 的条件"), policy, held, DUE)
            connection.execute(
                _LINES.format(rule=claim.id, on=claim.on, months=", ".join(f"'{m}'" for m in held), condition=true)
            )
    for statement in (_UNCOVERED, _CLAIMS, _NOT_LAPSED, _PROVEN, _HITS):
        connection.execute(statement)
    found: list[dict[str, object]] = []
    for claimed, town, month, persons in connection.execute(_UNJUDGED).fetchall():
        if claimed in policy.programmes:
            reason = f"{town}的{policy.programmes[claimed].name}名册（{month}）没有导入，自称该身份的不能核对"
            found.append({"kind": "claim", "programme": claimed, "town": town, "month": month, "persons": persons, "reason": reason})  # fmt: skip
    return found
