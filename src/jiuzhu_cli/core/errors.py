"""Errors that end a command: each carries its exit code, a Chinese sentence and what to do next.

Bad *rows* never raise: they become findings (``core.finding``). Texts are shown to users as they are,
so whoever raises must mask personal data first (``core.mask``).
"""

from __future__ import annotations


class JiuzhuError(Exception):
    """Base of all expected errors. ``message`` says what is wrong, ``todo`` what to do; both Chinese."""

    exit_code = 1

    def __init__(self, message: str, todo: str = "", *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.todo = todo
        self.code = code or type(self).__name__


class UsageError(JiuzhuError):
    """Wrong usage: an unknown programme, a month that is no month."""

    exit_code = 2


class DataError(JiuzhuError):
    """The data cannot be used: a workbook with a wrong password, a return file that does not add up."""

    exit_code = 3


class RefusedError(JiuzhuError):
    """The state forbids it: locked, already done, not approved, own approval, not posted."""

    exit_code = 4


class OutsideError(JiuzhuError):
    """File, disk, network or mail."""

    exit_code = 5


class PolicyError(DataError):
    """A policy file (programme, parameter, relation, bank, ...) is wrong or has no value for that day."""
