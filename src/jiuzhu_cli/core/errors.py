"""Errors that end a command: each carries its exit code, a Chinese sentence and what to do next.

Bad *rows* never raise: they become findings (``core.finding``). Texts are shown to users as they are,
so whoever raises must mask personal data first (``core.mask``).
"""

from __future__ import annotations

import errno

_REASONS = {
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EISDIR: "这是文件夹，不是文件",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已满",
    errno.EROFS: "磁盘是只读的",
    errno.EEXIST: "已经存在",
    errno.ENAMETOOLONG: "文件名太长",
    errno.EBUSY: "正被别的程序占用",
    errno.EMFILE: "打开的文件太多",
    errno.EIO: "磁盘读写出错",
}


def reason_of(error: OSError) -> str:
    """What the system refused, in Chinese; its own words where we have none."""
    return _REASONS.get(error.errno or 0) or error.strerror or str(error)


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
