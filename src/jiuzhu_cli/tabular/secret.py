"""Workbooks with an opening password: decrypted in memory with the passwords at hand.

[MS-OFFCRYPTO]: standard and agile encryption of xlsx, RC4 and RC4 CryptoAPI of xls (by msoffcrypto-tool).
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from jiuzhu_cli.core.errors import DataError

ENCRYPTED = "encrypted"  # DataError.code: a password is needed, or none of those given opens the file
# Excel's own: a workbook protected against writing only is encrypted with it and opens without a question
_BUILT_IN = "VelvetSweatshop"
_MAX_SPIN = 1_000_000  # rounds of hashing a password; Excel writes 100,000, the format allows hours


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
        "在终端里运行会询问密码；或把密码写进文件（每行一个，权限 0600），用 --password-file 指明",
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
