"""jiuzhu pay key: who signs approvals and releases, and with which key. Private keys stay with their persons, under a password."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from jiuzhu_cli.cli.context import Context, moment, table

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.payment_moves import Signer
    from jiuzhu_cli.ledger.store import Store

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

FOLDER = "jiuzhu密钥"  # in the person's own folder, where no file is named
KEY = typer.Option(None, "--key", metavar="密钥文件", help="本人的签名密钥；缺省在本人文件夹的“jiuzhu密钥”里找。")
PASSWORD = typer.Option(
    None, "--password-file", metavar="文件", help="第一行是密钥的密码（只有本人可读）；缺省在终端里询问。"
)


@app.command("make", help="做一个签名密钥（带密码，只有本人可读），并登记为本人的。")
def make(
    ctx: typer.Context,
    path: Path | None = typer.Argument(None, metavar="[密钥文件]", help="写到哪里（不能在工作区里）。"),
    password_file: Path | None = PASSWORD,
) -> None:
    from jiuzhu_cli.core.errors import RefusedError
    from jiuzhu_cli.ledger.signing_keys import key_of
    from jiuzhu_cli.payment import keys
    from jiuzhu_cli.tabular.files import safe_name

    context: Context = ctx.obj
    target = path or _folder() / safe_name(f"{context.actor}{keys.SUFFIX}")
    with context.workspace.open_store() as store:
        standing = key_of(store, context.actor)
        if standing:
            raise RefusedError(
                f"{context.actor} 已有密钥 {standing['key_id']}",
                "要换的先停用：jiuzhu pay key revoke 密钥号 --reason 原因",
            )
        password = _password(password_file, f"给“{target.name}”定一个密码", twice=True)
        if context.dry_run:
            key_id = ""
        else:
            keys.make_key(context.workspace, target, context.actor, password)
            key_id = keys.enrol(store, target, password, actor=context.actor, now=context.now)
    lines = (
        [f"会写 {target} 并登记给 {context.actor}。"]
        if context.dry_run
        else [
            f"密钥写在 {target}，密钥号 {key_id}，已登记给 {context.actor}。",
            "密码只有本人知道；忘了打不开，只能停用另做。密钥号请当面报给制单人和领导，印在审批单上的要一致。",
        ]
    )
    context.emit({"path": str(target), "key_id": key_id, "person": context.actor}, lines)


@app.command("enroll", help="把已有的密钥登记到这个工作区（由本人登记）。")
def enroll(
    ctx: typer.Context,
    path: Path = typer.Argument(..., metavar="密钥文件"),
    password_file: Path | None = PASSWORD,
) -> None:
    from jiuzhu_cli.payment import keys

    context: Context = ctx.obj
    password = _password(password_file, f"“{path.name}”的密码")
    with context.workspace.open_store() as store:
        key_id = keys.enrol(store, path, password, actor=context.actor, now=context.now)
    context.emit({"key_id": key_id, "person": context.actor}, [f"密钥 {key_id} 已登记给 {context.actor}。"])


@app.command("list", help="谁登记了签名密钥，哪些停用了。")
def list_(ctx: typer.Context) -> None:
    from jiuzhu_cli.ledger import signing_keys

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        found = signing_keys.keys(store)
    rows = [
        (
            one["key_id"], one["person"], moment(one["enrolled_at"]),
            f"{moment(one['revoked_at'])} {one['revoked_by']}：{one['reason']}" if one["revoked_at"] else "",
        )
        for one in found
    ]  # fmt: skip
    shown = ["key_id", "person", "public_key", "enrolled_at", "revoked_at", "revoked_by", "reason"]
    data = {"keys": [{key: one[key] for key in shown} for one in found]}
    context.emit(data, [table(rows, ["密钥号", "姓名", "登记（北京）", "停用"]) if rows else "还没有人登记签名密钥。"])


@app.command("revoke", help="停用一个密钥：丢失、泄露、换人；签过的仍然有效。")
def revoke(
    ctx: typer.Context,
    key_id: str = typer.Argument(..., metavar="密钥号"),
    reason: str = typer.Option(..., "--reason", metavar="原因", help="为什么停用（记入日志）。"),
) -> None:
    from jiuzhu_cli.payment import keys

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        keys.revoke(store, key_id, reason, actor=context.actor, now=context.now)
    context.emit({"key_id": key_id, "revoked": True}, [f"密钥 {key_id} 已停用。"])


def signer(context: Context, store: Store, key: Path | None, password_file: Path | None) -> Signer | None:
    """Who signs this step; None when nobody has to. Asks for the password at the terminal when no file holds it."""
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.payment.keys import SUFFIX, signer_of

    def find(known: dict[str, Any]) -> Path:
        if key is not None:
            return key
        for path in sorted(_folder().glob(f"*{SUFFIX}")):
            if f'"{known["public_key"]}"' in path.read_text("utf-8", "replace"):
                return path
        raise UsageError(
            f"{known['person']} 登记了密钥 {known['key_id']}，这一步要签名，但没有找到密钥文件",
            "用 --key 指明本人的密钥文件",
        )

    return signer_of(
        store, context.workspace, context.actor, find, lambda path: _password(password_file, f"“{path.name}”的密码")
    )


def _folder() -> Path:
    return Path.home() / FOLDER


def _password(path: Path | None, question: str, *, twice: bool = False) -> str:
    """From the file (first line), else from the person at the terminal; never from the command line or the environment."""
    import getpass

    from jiuzhu_cli.cli.passwords import passwords_of
    from jiuzhu_cli.core.errors import UsageError

    if path is not None:
        return passwords_of(path)[0]
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("没有终端可以询问密码", "把密码写进文件（第一行，权限 0600），用 --password-file 指明")
    try:
        first = getpass.getpass(f"{question}：", stream=sys.stderr)
        if twice and getpass.getpass("再输入一次：", stream=sys.stderr) != first:
            raise UsageError("两次输入的密码不一样", "再运行一次")
    except EOFError:
        raise UsageError("没有输入密码", "再运行一次") from None
    return first
