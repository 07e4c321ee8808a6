"""Months as text YYYY-MM."""

from __future__ import annotations


def months_back(month: str, count: int) -> str:
    """The month ``count`` months earlier."""
    index = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{index // 12:04d}-{index % 12 + 1:02d}"
