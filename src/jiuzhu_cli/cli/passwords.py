"""Where passwords of workbooks come from: a file, the system's keyring, the person at the terminal. Never the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import OutsideError, UsageError, reason_of

if TYPE_CHECKING:
    from jiuzhu_cli.tabular.secret import Secrets

MAX_FILE = 64 << 10


def refuse_in_arguments(password: str) -> None:
    """UsageError when a password was given on the command line, where every user of the machine can read it."""
    if password:
        raise UsageError(
            "密码不能写在命令行里：本机别的用户看得见，还会留在命令历史里",
            "不带 --password 运行，会在终端里询问密码；或把密码写进文件（每行一个，权限 0600），用 --password-file 指明。这个密码请更换",
        )


def make_secrets(
    password_file: Path | None,
    *,
    keyring: bool,
    bureau: str,
    pause: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Secrets:
    """The passwords of one run; asks on the terminal only when there is one, within ``pause()``."""
    from jiuzhu_cli.tabular.secret import Secrets

    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()

    def asking(name: str, wrong: int) -> str:
        with pause():
            return _ask(name, wrong)

    return Secrets(
        passwords_of(password_file) if password_file else (),
        look_up=_keyring(bureau, on_terminal=on_terminal) if keyring else None,
        ask=asking if on_terminal else None,
    )


def passwords_of(path: Path) -> list[str]:
    """The lines of a password file. UsageError when others may read it, OutsideError when it cannot be opened."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise OutsideError(f"读不了密码文件“{path.name}”：{reason_of(error)}", "检查路径和权限") from error
    if os.name != "nt" and mode & 0o077:
        raise UsageError(f"密码文件“{path.name}”别人也能读，没有使用", f"运行 chmod 600 {path.name} 后再试")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    passwords = [line for line in text.splitlines() if line.strip()]
    if not passwords or len(data) > MAX_FILE:
        raise UsageError(f"密码文件“{path.name}”里没有密码，或不是密码文件", "每行写一个密码")
    return passwords


def _ask(name: str, wrong: int) -> str:
    import getpass

    again = "密码不对，请再输入" if wrong else "请输入打开密码"
    try:
        return getpass.getpass(f"“{name}”加了密，{again}（直接回车跳过这个文件）：", stream=sys.stderr)
    except (EOFError, OSError):
        return ""


def _keyring(bureau: str, *, on_terminal: bool) -> Callable[[Path], Iterable[str]]:
    """Looks up ``jiuzhu/<bureau>`` by the file's name, then by the folders it lies in (the senders), nearest first."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise UsageError(
            "本机没有装钥匙串组件", "运行 pip install 'jiuzhu-cli[keyring]'；或改用 --password-file"
        ) from None
    if not on_terminal and type(keyring.get_keyring()).__module__.startswith("keyrings.alt"):
        raise UsageError("这个钥匙串要在终端里先解锁，没有终端时用不了", "改用 --password-file")

    def look_up(path: Path) -> Iterable[str]:
        for key in dict.fromkeys((path.name, path.stem, *(parent.name for parent in path.parents))):
            try:
                password = keyring.get_password(f"jiuzhu/{bureau}", key) if key else None
            except KeyringError:
                return
            if password:
                yield password

    return look_up
