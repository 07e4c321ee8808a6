"""The program: builds the command tree, runs one command, turns every outcome into an exit code and Chinese words."""

from __future__ import annotations

import contextlib
import importlib
import os
import sqlite3
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import NoReturn

import click
import typer

from jiuzhu_cli import __version__
from jiuzhu_cli.cli.chinese import speak_chinese, translate_tree
from jiuzhu_cli.cli.context import Context
from jiuzhu_cli.core.errors import DataError, JiuzhuError, OutsideError, RefusedError
from jiuzhu_cli.core.mask import mask_text

GLOBAL_FLAGS = {
    "--json": "json",
    "--quiet": "quiet",
    "-q": "quiet",
    "--yes": "yes",
    "-y": "yes",
    "--dry-run": "dry_run",
}
GLOBAL_VALUES = {"-C": "directory", "--workspace": "directory", "--today": "today", "--actor": "actor"}
EPILOG = (
    "通用选项（放在哪里都行）：-C 文件夹 指定工作区；--json 只输出一份 JSON；--today YYYY-MM-DD 指定今天；--actor 姓名 指定经办人；"
    "--dry-run 试运行不写入；--yes 不再询问；--quiet 少说话。退出码：0 完成，1 程序故障，2 用法不对，3 数据有问题，4 不允许，5 文件或网络，130 中断。"
)

app = typer.Typer(
    name="jiuzhu",
    help="区县民政局社会救助月度工作台：导入花名册，查重查漏，动态复核，公示，发放。",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


# word → module under ``cli`` (one file per subcommand) and, for single commands, the function that runs it
COMMANDS = {
    "init": ("init", "command"),
    "demo": ("demo", "command"),
    "import": ("import_", "command"),
    "batch": ("batch", ""),
    "dedupe": ("dedupe", ""),
    "review": ("review", ""),
    "post": ("post", ""),
    "pay": ("pay", ""),
    "show": ("show", "command"),
    "explain": ("explain", "command"),
    "policy": ("policy", ""),
    "status": ("status", "command"),
    "doctor": ("status", "doctor"),
    "audit": ("audit", ""),
    "backup": ("audit", "backup"),
    "restore": ("audit", "restore"),
}


def _register_commands() -> None:
    """Modules stay light: they import stages inside their functions. A group has ``app`` and HELP, a command its own help."""
    for word, (name, function) in COMMANDS.items():
        try:
            module = importlib.import_module(f"jiuzhu_cli.cli.{name}")
        except ModuleNotFoundError:  # being built
            continue
        if not function:
            app.add_typer(module.app, name=word, help=module.HELP)
        else:
            app.command(
                word, help=module.HELP if function == "command" else getattr(module, f"{function.upper()}_HELP")
            )(getattr(module, function))


def _hoist(arguments: list[str]) -> tuple[list[str], dict[str, str], dict[str, bool]]:
    """Global options may stand anywhere before ``--``; they are taken out here."""
    rest: list[str] = []
    values: dict[str, str] = {}
    flags: dict[str, bool] = {}
    index = 0
    while index < len(arguments):
        word = arguments[index]
        name, _, attached = word.partition("=")
        if word == "--":
            rest += arguments[index:]
            break
        if word in GLOBAL_FLAGS:
            flags[GLOBAL_FLAGS[word]] = True
        elif word in GLOBAL_VALUES:
            if index + 1 >= len(arguments):
                raise click.UsageError(f"选项 {word} 后面要跟一个值。")
            index += 1
            values[GLOBAL_VALUES[word]] = arguments[index]
        elif name in GLOBAL_VALUES and attached and name.startswith("--"):
            values[GLOBAL_VALUES[name]] = attached
        else:
            rest.append(word)
        index += 1
    return rest, values, flags


@app.callback(invoke_without_command=True)
def _top(version: bool = typer.Option(False, "--version", help="显示版本。")) -> None:
    if version:
        print(f"jiuzhu {__version__}")
        raise typer.Exit


def build_command() -> click.Command:
    """The whole Click tree, in Chinese."""
    if not app.registered_commands:
        _register_commands()
    command = typer.main.get_command(app)
    if isinstance(command, click.Group):  # the order of a month, not of registration
        command.commands = {word: command.commands[word] for word in COMMANDS if word in command.commands}
    translate_tree(command, EPILOG)
    speak_chinese()
    return command


def _report_fault(context: Context | None) -> str:
    """Writes the masked traceback where the clerk can find it; returns its path or ''."""
    text = mask_text(traceback.format_exc())
    folder = Path(tempfile.gettempdir())
    with contextlib.suppress(Exception):
        if context is not None:
            folder = context.workspace.root / "logs"
    path = folder / f"fault-{os.getpid()}.txt"
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"jiuzhu {__version__}\n{text}")
        return str(path)
    return ""


def _fail(error: JiuzhuError, *, as_json: bool) -> NoReturn:
    print(f"错误：{error.message}", file=sys.stderr)
    if error.todo:
        print(f"怎么办：{error.todo}", file=sys.stderr)
    if as_json:
        import json

        body = {"error": {"code": error.code, "message": error.message, "todo": error.todo, "exit": error.exit_code}}
        sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
    sys.exit(error.exit_code)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs one command and exits with the contract's code; never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries talk to developers, not to clerks
    context: Context | None = None
    as_json = "--json" in (arguments if arguments is not None else sys.argv[1:])
    try:
        rest, values, flags = _hoist(list(sys.argv[1:] if arguments is None else arguments))
        command = build_command()
        directory = Path(values["directory"]) if "directory" in values else None
        context = Context.make(directory, values.get("today", ""), values.get("actor", ""), flags)
        code = command.main(args=rest, prog_name="jiuzhu", standalone_mode=False, obj=context)
        context.finish()
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help() if error.ctx else "")
        sys.exit(2)
    except click.ClickException as error:
        speak_chinese()
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        print("已中断，没有留下做了一半的东西。", file=sys.stderr)
        sys.exit(130)
    except JiuzhuError as error:
        _fail(error, as_json=as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            _fail(RefusedError("台账正被另一个程序占用", "等它结束后再运行"), as_json=as_json)
        _fail(OutsideError(f"台账读写出错：{error}", "检查磁盘空间和文件权限后再运行"), as_json=as_json)
    except sqlite3.DatabaseError as error:
        _fail(
            DataError(f"台账文件有损坏：{error}", "不要再写入；用 jiuzhu restore 恢复 backup/ 中最近的备份"),
            as_json=as_json,
        )
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else ""
        _fail(
            OutsideError(f"文件操作失败：{name} {error.strerror or ''}".strip(), "检查路径、权限和磁盘空间后再运行"),
            as_json=as_json,
        )
    except Exception:
        path = _report_fault(context)
        _fail(
            JiuzhuError(
                "程序出了故障，这不是您的错", f"请把这个文件交给维护人员：{path}" if path else "请联系维护人员"
            ),
            as_json=as_json,
        )
    finally:
        if context is not None:
            context.finish()
