"""The program: builds the command tree, runs one command, turns every outcome into an exit code and Chinese words."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import sqlite3
import sys
import warnings
from pathlib import Path
from typing import NoReturn

import click
import typer

from jiuzhu_cli import __version__
from jiuzhu_cli.cli.chinese import speak_chinese, translate_tree
from jiuzhu_cli.cli.context import Context
from jiuzhu_cli.core.errors import DataError, JiuzhuError, OutsideError, RefusedError, reason_of
from jiuzhu_cli.core.lean import put_off_methods, put_stand_ins, share_charsets

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

# word → module under ``cli`` (one file per subcommand), the function that runs it ('' for a group's ``app``), and its help:
# here, so that ``jiuzhu --help`` loads no command at all
COMMANDS = {
    "init": ("init", "command", "建工作区：设置、台账、政策、收件和产出文件夹。"),
    "demo": ("demo", "command", "演示：用生成的假名单建一个工作区，走完一个整月。"),
    "import": ("import_", "command", "导入花名册和登记册：认表、清洗、核对、入台账。"),
    "template": ("template", "command", "空白台账模板：某个项目或名单的列、下拉、校验和填表说明；填好后直接导入。"),
    "mapping": ("mapping", "", "记住的列：--map 说过哪个表头是什么；看清单、忘掉。"),
    "batch": ("batch", "", "导入批次：看清单、看一批、撤销一批。"),
    "dedupe": ("dedupe", "", "查重查漏：重复享受、应享未享、身份不符、去世后发放、账户异常；读回处理结果。"),
    "area": ("area", "command", "查区划代码：区县、乡镇、村是哪个代码，停用的代码、旧地名现在是什么。"),
    "match": ("match", "command", "不用工作区，比对任意几份名单：哪些行是同一个人。"),
    "export": ("export", "", "导出台账快照（Parquet）：供市、省汇总；或换成密文，各区县之间比对。"),
    "review": ("review", "", "动态复核：重算资格和金额，出复核建议；到期走访；读回决定。"),
    "post": ("post", "", "公示：出公示单、登记和答复异议、结束公示。"),
    "pay": ("pay", "", "发放：制单、锁定、审批、银行文件、回盘、补发、追回。"),
    "show": ("show", "command", "看一个人的全部：项目、付款、疑点、决定，都出自哪份表。"),
    "explain": ("explain", "command", "说明一个人的资格和金额：哪条规定、什么数、怎么算。"),
    "policy": ("policy", "", "政策：项目、参数、关系；查看和检查。"),
    "status": ("status", "command", "本月做到哪一步、还差什么、下一步运行哪条命令。"),
    "doctor": ("status", "doctor", "检查工作区本身：设置、权限、磁盘、政策参数、备份。"),
    "audit": ("audit", "", "查账：操作日志是否完整、产出文件是否被改过、金额是否对得上。"),
    "backup": ("audit", "backup", "备份台账到 backup 文件夹（或指定文件）。"),
    "restore": ("audit", "restore", "用备份恢复台账；先检查备份，再替换，原台账另存。"),
}


class Desk(click.Group):
    """The top of the tree: a command's module is imported only when it is called. In the order of a month."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = _load(cmd_name)
        return self.commands[cmd_name]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=list(COMMANDS), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("命令"):
            formatter.write_dl([(word, entry[2]) for word, entry in COMMANDS.items()])


def _load(word: str) -> click.Command:
    """The Click command of ``word``, made by Typer from its module, in Chinese."""
    name, function, about = COMMANDS[word]
    module = importlib.import_module(f"jiuzhu_cli.cli.{name}")
    if function:
        single = typer.Typer(rich_markup_mode=None, add_completion=False)
        single.command(word, help=about)(getattr(module, function))
        command = typer.main.get_command(single)
    else:
        command = typer.main.get_command(module.app)
        command.help = about
        command.params = [p for p in command.params if p.name not in ("install_completion", "show_completion")]
        if isinstance(command, typer.core.TyperGroup):
            command.suggest_commands = False  # Click says it already, in Chinese
    command.name = word
    translate_tree(command, EPILOG)
    speak_chinese()
    return command


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


def build_command() -> click.Group:
    """The program as a Click group; commands below it are loaded when asked for."""
    desk = Desk(
        "jiuzhu",
        help="区县民政局社会救助月度工作台：导入花名册，查重查漏，动态复核，公示，发放。",
        no_args_is_help=True,
        params=[
            click.Option(
                ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="显示版本。"
            )
        ],
    )
    translate_tree(desk, EPILOG)
    speak_chinese()
    return desk


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        print(f"jiuzhu {__version__}")
        ctx.exit()


def _report_fault(context: Context | None) -> str:
    """Writes the masked traceback where the clerk can find it; returns its path or ''."""
    import tempfile
    import traceback

    from jiuzhu_cli.core.mask import mask_text

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
        _emit_error(error.code, error.message, error.todo, error.exit_code)
    sys.exit(error.exit_code)


def _emit_error(code: str, message: str, todo: str, exit_code: int) -> None:
    """The one JSON document of a command that failed."""
    import json

    body = {"error": {"code": code, "message": message, "todo": todo, "exit": exit_code}}
    sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")


class _End:
    """The end of the process, when everything is written and closed: taking it apart object by object takes 50 ms of a large import.

    ``code``: what a command that ran through exits with, where the process is its own; else only the search for cycles is saved.
    """

    def __init__(self) -> None:
        self.code: int | None = None

    def __call__(self) -> None:
        gc.freeze()
        if self.code is not None:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(self.code)


def _start_light() -> None:
    """What libraries do while they load and nobody here needs: a fifth of the time until an import reads its first file."""
    share_charsets()
    put_off_methods()
    put_stand_ins()
    gc.set_threshold(100_000, 50, 100)  # what is loaded stays; looking through it for cycles took 40 ms
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads for linear algebra: 40 ms, and in every fork


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs one command and exits with the contract's code; never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries talk to developers, not to clerks
    sys.unraisablehook = lambda _: None  # what libraries stumble over when they are torn down
    _start_light()
    end = _End()
    atexit.register(end)  # the first one: after all that others do on the way out
    os.umask(0o077)  # whatever is written is for its owner alone
    context: Context | None = None
    as_json = "--json" in (arguments if arguments is not None else sys.argv[1:])
    try:
        rest, values, flags = _hoist(list(sys.argv[1:] if arguments is None else arguments))
        command = build_command()
        directory = Path(values["directory"]) if "directory" in values else None
        context = Context.make(directory, values.get("today", ""), values.get("actor", ""), flags)
        code = command.main(args=rest, prog_name="jiuzhu", standalone_mode=False, obj=context)
        context.warn_of_clock()
        context.finish()
        sys.stdout.flush()
        code = code if isinstance(code, int) else 0
        end.code = code if arguments is None else None
        sys.exit(code)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help() if error.ctx else "")
        sys.exit(2)
    except click.ClickException as error:
        speak_chinese()
        error.show()
        if as_json:
            _emit_error("usage", error.format_message(), "加 --help 看说明", 2)
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
    except sqlite3.IntegrityError:
        _report_fault(context)
        _fail(
            RefusedError(
                "与台账里已有的记录冲突，什么也没有写入", "可能有人同时在办同一件事；看 jiuzhu status 后再运行"
            ),
            as_json=as_json,
        )
    except sqlite3.DatabaseError as error:
        _fail(
            DataError(f"台账文件有损坏：{error}", "不要再写入；用 jiuzhu restore 恢复 backup/ 中最近的备份"),
            as_json=as_json,
        )
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else ""
        _fail(
            OutsideError(f"文件操作失败：{name} {reason_of(error)}", "检查路径、权限和磁盘空间后再运行"),
            as_json=as_json,
        )
    except MemoryError:
        _fail(OutsideError("内存不够", "关掉别的程序，或把大表拆成几份后再运行"), as_json=as_json)
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
