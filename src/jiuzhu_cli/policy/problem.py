"""What a check of the policy finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """``error`` must be mended before the policy may be used; ``warning`` should be looked at. ``where`` names file and entry."""

    level: Literal["error", "warning"]
    where: str
    text: str

    def as_json(self) -> dict[str, str]:
        return {"level": self.level, "where": self.where, "text": self.text}
