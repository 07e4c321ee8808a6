"""Identity numbers (公民身份号码, GB 11643): check digit, 15 to 18 digits, birth date, sex, damage.

Also residence permits of 港澳台 (810000/820000/830000, same form) and 外国人永久居留身份证
(old: 3 letters and 12 digits; new since 2023: 18 digits beginning with 9). The address code is that of the
first registration and never moves, so it is never a reason to refuse (policy-reference §4).
Nothing is guessed: a number that Excel has rounded is reported as damaged, not repaired.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from jiuzhu_cli.core.text import compact, half_width, strip_invisible

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARS = "10X98765432"
PROVINCE_CODES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91".split()
)
MIN_BIRTH_YEAR = 1900

IdKind = Literal["resident", "hmt_residence", "foreign_permanent", ""]
_PREFIX = re.compile(
    r"^(?:户主|本人|成员|申请人|老人)?(?:公民身份号码|公民身份证号码?|身份证件号码?|身份证号码?|身份证|证件号码?|身份号码|id(?:card)?)[:：;；号]?",
    re.IGNORECASE,
)
_REMARK = re.compile(r"[(（\[【][^0-9()（）\[\]【】]{1,12}[)）\]】]$")
_FOREIGN_OLD = re.compile(r"^[A-Z]{3}\d{12}$")
# letters that look like figures, and what some type for the X at the end (×, the Roman ten, the Cyrillic Х, the Greek Χ)
_LETTER_SLIPS = str.maketrans("Oo〇lIi|×✕ⅩⅹХхΧχ", "0001111XXXXXXXX")
_PUNCTUATION = str.maketrans("", "", "-—–－‐.。·,，、'‘’`\"“”/:：;；_")
_WHOLE = re.compile(r"\d{17}[\dX]", re.ASCII)
_FORM = re.compile(r"\d{17}[\dX]|\d{15}", re.ASCII)
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d+")
_SEVERAL = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d).*?(?<!\d)\d{17}[\dXx](?!\d)|^\d{17}[\dXx]\d{17}[\dXx]$", re.DOTALL)
_MASKED = re.compile(r"\d{1,14}[*#＊●•xX×]{3,}[\dXx]{0,8}|\d{3,14}\*{2,}[\dXx]{0,8}")


@dataclass(frozen=True, slots=True)
class IdNumber:
    """The reading of one ID cell. ``value`` is canonical ("" when refused); ``problem`` a finding code ("" when sound).

    ``notes`` are finding codes of harmless repairs (upgraded from 15 digits, full-width, letter slip ...).
    """

    value: str
    kind: IdKind = ""
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problem


def check_char(first17: str) -> str:
    """The ISO 7064 MOD 11-2 check character of 17 digits."""
    return CHECK_CHARS[sum(w * int(c) for w, c in zip(WEIGHTS, first17, strict=True)) % 11]


def upgrade15(old: str) -> str:
    """A 15-digit number (1984-1999) as 18 digits: century 19 inserted, check character added."""
    first17 = old[:6] + "19" + old[6:]
    return first17 + check_char(first17)


def birth_date(id_no: str) -> date | None:
    """Birth date of a canonical 18-digit number; None for old foreign cards or an impossible date."""
    if len(id_no) != 18 or not id_no[6:14].isdigit():
        return None
    try:
        return date(int(id_no[6:10]), int(id_no[10:12]), int(id_no[12:14]))
    except ValueError:
        return None


def sex(id_no: str) -> str:
    """男 or 女 by the 17th digit (odd is male); "" where the number does not tell."""
    if len(id_no) == 18 and id_no[16].isdigit():
        return "男" if int(id_no[16]) % 2 else "女"
    return ""


def age_on(born: date, day: date) -> int:
    """Full years of age on ``day``; one turns on the birthday itself (29 February: on 1 March)."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _is_day(text: str) -> bool:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).year >= MIN_BIRTH_YEAR
    except ValueError:
        return False


def _not_after(text: str, today: date | None) -> bool:
    return text <= (f"{today:%Y%m%d}" if today is not None else "2100")


def _mended(text: str) -> tuple[str, str]:
    """``text`` without punctuation, or with letters read as the figures they look like, where its check digit then holds."""
    bare = text.translate(_PUNCTUATION).upper()
    if bare != text.upper() and _WHOLE.fullmatch(bare) and check_char(bare[:17]) == bare[17]:
        return bare, "id_tidied"
    figures = text.translate(_PUNCTUATION).translate(_LETTER_SLIPS).upper()
    if figures != bare and _WHOLE.fullmatch(figures) and check_char(figures[:17]) == figures[17]:
        return figures, "id_letter_slip"
    return "", ""


def _shape_problem(raw: str, text: str) -> str:
    """What is wrong with a text that has not the form of a number."""
    if _SEVERAL.search(half_width(strip_invisible(raw))):
        return "id_several"
    if _MASKED.fullmatch(text):
        return "id_masked"
    if re.fullmatch(r"\d{15,19}\.0+", text):
        return "id_numeric"  # it has been a number of double precision
    return "id_length" if re.fullmatch(r"[\dX]+", text) else "id_characters"


def parse_id(raw: Any, *, today: date | None = None) -> IdNumber:
    """Reads one ID cell of any type.

    Problems: ``id_missing``, ``id_numeric`` (stored as a number), ``id_scientific``, ``id_several`` (two in one cell), ``id_masked``
    (遮挡), ``id_length``, ``id_characters``, ``id_checksum``, ``id_birth``, ``id_area``, ``id_excel_zeros`` (…000: damaged by
    Excel even when the check digit happens to hold), ``id_prefix`` (the first 15 of 18 digits), ``id_fifteen`` (15 digits that
    may be an old number or the first 15 of a new one: nobody can tell).
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return IdNumber("", problem="id_missing")
    if isinstance(raw, bool):
        return IdNumber("", problem="id_characters")
    if isinstance(raw, int | float):
        # 15 digits survive a number cell; 18 never do.
        if 10**14 <= raw < 10**15 and raw == int(raw):
            raw = str(int(raw))
        else:
            return IdNumber("", problem="id_numeric")
    text = compact(str(raw)).strip("'‘’`\"“”,，;；。")
    notes: list[str] = []
    stripped = _REMARK.sub("", _PREFIX.sub("", text))
    if stripped != str(raw):
        notes.append("id_tidied")
    text = stripped.upper()
    if not text:
        return IdNumber("", problem="id_missing")
    if _SCIENTIFIC.fullmatch(text):
        return IdNumber("", problem="id_scientific")
    if _FOREIGN_OLD.match(text):
        return IdNumber(text, "foreign_permanent", notes=tuple(notes))
    if not _FORM.fullmatch(text):
        mended, note = _mended(stripped)
        if not mended:
            return IdNumber("", problem=_shape_problem(str(raw), text))
        text = mended
        notes.append(note)
    if len(text) == 15:
        old, new = upgrade15(text), text[6:14]
        whole = _is_day(new) and _not_after(new, today)  # its first 15 digits would tell this birth date
        if birth_date(old) is None:
            return IdNumber("", problem="id_prefix" if whole else "id_birth")
        if whole:
            return IdNumber("", problem="id_fifteen")
        text = old
        notes.append("id_upgraded")
    elif text.endswith("000"):
        return IdNumber("", problem="id_excel_zeros")
    if check_char(text[:17]) != text[17]:
        return IdNumber("", problem="id_checksum")
    born = birth_date(text)
    if born is None or born.year < MIN_BIRTH_YEAR or (today is not None and born > today):
        return IdNumber("", problem="id_birth")
    if text[:2] not in PROVINCE_CODES and text[0] != "9":
        return IdNumber("", problem="id_area")
    kind: IdKind = (
        "hmt_residence" if text[:2] in ("81", "82", "83") else "foreign_permanent" if text[0] == "9" else "resident"
    )
    return IdNumber(text, kind, notes=tuple(notes))
