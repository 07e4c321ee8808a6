"""Passwords of workbooks: asked on a terminal without being shown, read from a private file, looked up in a keyring."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
import types
from pathlib import Path

import pytest

from jiuzhu_cli.cli.passwords import make_secrets, passwords_of
from jiuzhu_cli.core.errors import DataError, UsageError
from jiuzhu_cli.tabular.secret import needed
from tests.intake.lists import PERSON_HEADER, person_rows, workbook
from tests.support import make_workspace
from tests.tabular import encrypted


def locked(tmp_path: Path, name: str, serials: list[int], password: str) -> Path:
    plain = workbook(
        tmp_path / "明文.xlsx", PERSON_HEADER, person_rows(serials), title="青溪镇2026年10月高龄津贴发放花名册"
    )
    path = tmp_path / "收到" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encrypted.agile(plain.read_bytes(), password))
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals")
def test_the_terminal_is_asked_and_shows_nothing_of_the_answer(tmp_path: Path) -> None:
    import pty

    root = make_workspace(tmp_path / "ws").root
    folder = locked(tmp_path, "一.xlsx", [1, 2], "密码甲").parent
    locked(tmp_path, "二.xlsx", [1, 2], "密码甲")  # opened with the same password, unasked
    locked(tmp_path, "三.xlsx", [5], "密码乙")
    child, terminal = pty.fork()
    if child == 0:
        words = ["-m", "jiuzhu_cli", "-C", str(root), "--today", "2026-11-21", "import", str(folder)]
        os.execve(sys.executable, [sys.executable, *words], os.environ | {"PYTHONUTF8": "1"})
    shown, answers = b"", ["错", "密码甲", ""]
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        ready, _, _ = select.select([terminal], [], [], 1)
        if ready:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        asked = shown.decode("utf-8", "replace").count("跳过这个文件）：")
        if answers and asked > 3 - len(answers):
            time.sleep(0.2)  # getpass clears what was typed before it asked
            os.write(terminal, (answers.pop(0) + "\n").encode())
    if time.monotonic() >= ends:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    text = shown.decode("utf-8", "replace")
    assert code == 3 and not answers, text
    assert "密码甲" not in text and "密码不对，请再输入" in text and "“三.xlsx”加了密" in text
    assert "新导入 1 张" in text and "没有变化" in text


def test_a_password_file(tmp_path: Path) -> None:
    path = tmp_path / "密码"
    for data in ("甲 \r\n\r\n乙\n".encode("utf-8-sig"), "甲 \n乙".encode("gbk")):
        path.write_bytes(data)
        path.chmod(0o600)
        assert passwords_of(path) == ["甲 ", "乙"]
    path.chmod(0o640)
    with pytest.raises(UsageError, match="别人也能读"):
        passwords_of(path)
    path.chmod(0o600)
    path.write_bytes(b"\n")
    with pytest.raises(UsageError, match="没有密码"):
        passwords_of(path)


def test_a_keyring_is_asked_by_file_and_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def get_password(service: str, key: str) -> str | None:
        asked.append((service, key))
        return {"青溪镇": "甲"}.get(key)

    keyring = types.ModuleType("keyring")
    keyring.get_password = get_password  # type: ignore[attr-defined]
    keyring.get_keyring = object  # type: ignore[attr-defined]
    errors = types.ModuleType("keyring.errors")
    errors.KeyringError = RuntimeError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    secrets = make_secrets(None, keyring=True, bureau="某区民政局")

    def read(passwords: tuple[str, ...]) -> str:
        if "甲" not in passwords:
            raise needed("低保.xlsx", passwords)
        return "opened"

    assert secrets.unlock(Path("收到/青溪镇/低保.xlsx"), read) == "opened" and secrets.known == ("甲",)  # type: ignore[arg-type]
    assert asked == [("jiuzhu/某区民政局", key) for key in ("低保.xlsx", "低保", "青溪镇")]
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(UsageError, match="钥匙串"):
        make_secrets(None, keyring=True, bureau="某区民政局")


def test_without_a_terminal_nobody_is_asked() -> None:
    secrets = make_secrets(None, keyring=False, bureau="")

    def read(passwords: object) -> None:
        raise needed("低保.xlsx", ())

    with pytest.raises(DataError, match="打开密码"):
        secrets.unlock(Path("低保.xlsx"), read)
