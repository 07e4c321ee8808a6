"""Chinese for what Click and Typer say themselves. Their catalogue hooks are gettext's ``_``; we put our table in its place."""

from __future__ import annotations

import sys

import click

_TEXTS = {
    "Usage:": "用法：",
    "Usage: ": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Arguments": "参数",
    "Show this message and exit.": "显示这段说明。",
    "Error: {message}": "错误：{message}",
    "Aborted!": "已中断。",
    "Try '{command} {option}' for help.": "用“{command} {option}”看说明。",
    "No such command {name!r}.": "没有“{name}”这条命令。",
    "No such option {name!r}.": "没有 {name!r} 这个选项。",
    "Invalid start character for option ({option})": "选项写法不对（{option}）",
    "{value} is not in the range {range}.": "{value} 不在范围 {range} 之内。",
    "Could not open file {filename!r}: {message}": "打不开文件“{filename}”：{message}",
    "Positional arguments": "参数",
    "unknown error": "原因不明",
    "file": "文件",
    "directory": "文件夹",
    "path": "路径",
    "(Possible options: {possibilities})": "（是不是：{possibilities}）",
    "Did you mean {possibility}?": "是不是 {possibility}？",
    "Did you mean one of: {possibilities}?": "是不是其中之一：{possibilities}？",
    "Missing command.": "缺少命令。",
    "Missing argument": "缺少参数",
    "Missing option": "缺少选项",
    "Missing parameter": "缺少参数",
    "Missing {param_type}": "缺少{param_type}",
    "Missing parameter: {param_name}": "缺少参数：{param_name}",
    "argument": "参数",
    "option": "选项",
    "parameter": "参数",
    "Invalid value: {message}": "填的值不对：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 填的值不对：{message}",
    "Option {name!r} requires an argument.": "选项 {name} 后面要跟一个值。",
    "Option {name!r} does not take a value.": "选项 {name} 后面不跟值。",
    "{value!r} is not a valid {number_type}.": "“{value}”不是数字。",
    "{value!r} is not a valid integer.": "“{value}”不是整数。",
    "{value!r} is not a valid float.": "“{value}”不是数字。",
    "{name} {filename!r} does not exist.": "“{filename}”不存在。",
    "{name} {filename!r} is a file.": "“{filename}”是文件，这里要文件夹。",
    "{name} {filename!r} is a directory.": "“{filename}”是文件夹，这里要文件。",
    "{name} {filename!r} is not readable.": "“{filename}”读不了，请检查权限。",
    "{value!r} is not one of {choices}.": "“{value}”不在可选值之内：{choices}。",
    "required": "必填",
    "default: {default}": "默认：{default}",
    "File": "文件",
    "Directory": "文件夹",
    "Path": "路径",
    "(deprecated) {text}": "（不再使用）{text}",
}
_PLURALS = {
    "Got unexpected extra argument ({args})": "多出了参数：{args}",
    "(Did you mean one of: {possibilities}?)": "（是不是：{possibilities}？）",
    "{value!r} is not {choice}.": "“{value}”不是 {choice}。",
    "{value!r} is not one of {choices}.": "“{value}”不在可选值之内：{choices}。",
    "Option {name!r} requires an argument.": "选项 {name} 后面要跟一个值。",
    "Option {name!r} requires {nargs} arguments.": "选项 {name} 后面要跟 {nargs} 个值。",
    "Argument {name!r} takes {nargs} values.": "参数 {name} 要 {nargs} 个值。",
    "(Possible options: {possibilities})": "（是不是：{possibilities}）",
    "Did you mean {possibility}?": "是不是 {possibility}？",
}


def _translate(message: str) -> str:
    return _TEXTS.get(message, message)


def _translate_plural(one: str, many: str, count: int) -> str:
    return _PLURALS.get(one) or _TEXTS.get(one) or (one if count == 1 else many)


def speak_chinese() -> None:
    """Puts the table into every loaded module of click and typer. Call after importing them."""
    for name, module in list(sys.modules.items()):
        if name.split(".", maxsplit=1)[0] in ("click", "typer"):
            if hasattr(module, "_"):
                module._ = _translate  # type: ignore[attr-defined]
            if hasattr(module, "ngettext"):
                module.ngettext = _translate_plural  # type: ignore[attr-defined]


_METAVARS = {
    "text": "文字",
    "integer": "整数",
    "float": "数",
    "path": "路径",
    "file": "文件",
    "directory": "文件夹",
    "filename": "文件",
}


def translate_tree(command: click.Command, epilog: str) -> None:
    """Chinese place-holders for options and commands, and ``epilog`` under every command's help."""
    command.options_metavar = "[选项]"
    command.epilog = epilog
    for param in command.params:
        if isinstance(param, click.Option) and param.metavar is None and not param.is_flag:
            param.metavar = _METAVARS.get(param.type.name)
    if isinstance(command, click.Group):
        command.subcommand_metavar = "命令 [参数]…"
        for child in command.commands.values():
            translate_tree(child, epilog)
