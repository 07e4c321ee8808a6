"""What of a person goes on a screen: masked unless somebody says --full. Works on the whole document by the keys' meaning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jiuzhu_cli.core.mask import mask_account, mask_id, mask_name, mask_phone, mask_text

_NAMES = {"name", "lead_name", "head_name", "payee_name", "recipient_name", "related_name", "name_a", "name_b"}
_IDS = {"id_no", "head_id_no", "payee_id_no", "recipient_id_no", "related_id_no", "id_no_a", "id_no_b"}
_HIDDEN = {"address", "illness", "disability_kind", "disability_grade", "disability_no", "certificate_no", "extra", "work_ability", "self_care", "proposal_key", "doubt_key", "facts", "decided_facts"}  # fmt: skip
# programmes, parameters and rules have names too, which are nobody's
_PLAIN_NAME_BESIDE = {"programme", "due", "parameter"}


def masked(document: Any, others: Iterable[str] = ()) -> Any:
    """A copy of ``document`` with names, IDs, accounts, phones, addresses and health masked, also within sentences.

    ``others``: names that stand only in sentences (a dead member, kin on the staff).
    """
    names = sorted(_names(document).union(name for name in others if len(name) > 1), key=len, reverse=True)
    return _mask(document, names)


def _is_person_name(key: str, holder: dict[str, Any]) -> bool:
    return key in _NAMES and not (key == "name" and _PLAIN_NAME_BESIDE & set(holder) and "id_no" not in holder)


def _names(part: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(part, dict):
        for key, value in part.items():
            if isinstance(value, str) and len(value) > 1 and _is_person_name(key, part):
                found.add(value)
            found |= _names(value)
    elif isinstance(part, list | tuple):
        for value in part:
            found |= _names(value)
    return found


def _mask(part: Any, names: list[str]) -> Any:
    if isinstance(part, dict):
        return {key: _cell(key, value, part, names) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_mask(value, names) for value in part]
    return _sentence(part, names) if isinstance(part, str) else part


def _cell(key: str, value: Any, holder: dict[str, Any], names: list[str]) -> Any:
    if not isinstance(value, str) or not value:
        return _mask(value, names)
    if key in _IDS:
        return mask_id(value)
    if _is_person_name(key, holder):
        return mask_name(value)
    if key == "account_no":
        return mask_account(value)
    if key == "phone":
        return mask_phone(value)
    return "***" if key in _HIDDEN else _sentence(value, names)


def _sentence(text: str, names: list[str]) -> str:
    for name in names:
        text = text.replace(name, mask_name(name))
    return mask_text(text)
