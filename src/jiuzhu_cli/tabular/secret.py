"""Workbooks with an opening password: decrypted in memory with the passwords at hand.

[MS-OFFCRYPTO]: standard and agile encryption of xlsx, RC4 and RC4 CryptoAPI of xls (by msoffcrypto-tool).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from jiuzhu_cli.core.errors import DataError

ENCRYPTED = "encrypted"  # DataError.code: a password is needed, or none of those given opens the file
# Excel's own: a workbook protected against writing only is encrypted with it and opens without a question
_BUILT_IN = "VelvetSweatshop"
MAX_ASKED = 3
_MAX_SPIN = 500_000  # rounds of hashing a password; Excel writes 100,000, the format allows hours


T = TypeVar("T")


class Secrets:
    """The passwords of one import: those at hand, and where more come from when a file wants one.

    ``look_up``: candidates for a file from elsewhere (a keyring); ``ask``: asks a person, told the file's name and how often
    it was wrong, and returns "" when the person gives up. Whatever opened a file is tried on the others. Never written anywhere.
    """

    def __init__(
        self,
        known: Iterable[str] = (),
        *,
        look_up: Callable[[Path], Iterable[str]] | None = None,
        ask: Callable[[str, int], str] | None = None,
    ) -> None:
        self._known = list(dict.fromkeys(known))
        self._look_up, self._ask = look_up, ask
        self._given_up: set[Path] = set()

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(self._known)

    def unlock(self, path: Path, read: Callable[[Sequence[str]], T]) -> T:
        """``read(passwords)`` of the file at ``path``, with more passwords as long as it says that they are wanting."""
        try:
            return read(self.known)
        except DataError as error:
            if error.code != ENCRYPTED or path in self._given_up:
                raise
            refusal = error
        for password in self._look_up(path) if self._look_up else ():
            opened, found = self._try(read, password)
            if opened:
                return found  # type: ignore[return-value]
        for wrong in range(MAX_ASKED if self._ask else 0):
            assert self._ask is not None
            password = self._ask(path.name, wrong)
            if not password:
                break
            opened, found = self._try(read, password)
            if opened:
                return found  # type: ignore[return-value]
            refusal = needed(path.name, [password])
        self._given_up.add(path)
        raise refusal

    def _try(self, read: Callable[[Sequence[str]], T], password: str) -> tuple[bool, T | None]:
        try:
            found = read((password, *self._known))
        except DataError as error:
            if error.code != ENCRYPTED:
                raise
            return False, None
        if password not in self._known:
            self._known.append(password)
        return True, found


def needed(name: str, passwords: Sequence[str]) -> DataError:
    """The error for a file that none of ``passwords`` opens."""
    if passwords:
        return DataError(
            f"“{name}”的密码不对，打不开",
            "向报送人核对密码后再导入；也可请其另存为不带密码的文件",
            code=ENCRYPTED,
        )
    return DataError(
        f"“{name}”加了打开密码",
        "请另存为不带密码的文件。导入台账时，在终端里会询问密码；也可把密码写进文件（每行一个，权限 0600），用 --password-file 指明",
        code=ENCRYPTED,
    )


def decrypt(data: bytes, name: str, passwords: Sequence[str]) -> bytes:
    """The workbook inside an encrypted compound file. DataError (code ``ENCRYPTED``) when no password opens it."""
    import msoffcrypto

    damaged = DataError(
        f"“{name}”加了密，但加密方式认不得或文件已损坏", "用 WPS 或 Excel 打开，另存为不带密码的 .xlsx 后再导入"
    )
    for password in (_BUILT_IN, *passwords):
        try:
            book = msoffcrypto.OfficeFile(io.BytesIO(data))
            if getattr(book, "info", {}).get("spinValue", 0) > _MAX_SPIN:  # trying one password would take hours
                raise DataError(f"“{name}”的加密参数不正常，没有读取", "请报送人另存为不带密码的 .xlsx 后重新发送")
            check = {"verify_password": True} if book.format == "ooxml" else {}
        except DataError:
            raise
        except Exception as error:  # the library raises whatever its parsers meet
            raise damaged from error
        try:
            book.load_key(password=password, **check)
        except Exception:  # a password of a form that this scheme cannot have is a wrong one, too
            continue
        plain = io.BytesIO()
        try:
            book.decrypt(plain)
        except Exception as error:
            raise damaged from error
        return plain.getvalue()
    raise needed(name, passwords)
