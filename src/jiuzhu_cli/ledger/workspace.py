"""The workspace: a folder with the ledger, the bureau's own policy and templates, and what comes in and goes out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli

from jiuzhu_cli.core.errors import DataError, OutsideError, RefusedError, UsageError, reason_of
from jiuzhu_cli.ledger.settings import check_settings, is_setting_text
from jiuzhu_cli.ledger.store import Store

CONFIG_NAME = "jiuzhu.toml"
FOLDERS = ("policy", "templates", "inbox", "out", "out/internal", "out/public", "out/bank", "logs", "backup")

_CONFIG = """\
# jiuzhu 工作区设置。改后不必重启，下一条命令即生效。

[bureau]
name = {name}            # 单位全称，印在公示单和通知书上
region = {region}        # 六位行政区划代码
phone = ""               # 监督举报电话，印在公示单上
address = ""             # 来信地址

[clerk]
actor = {actor}          # 默认经办人；命令行 --actor 可另指

[month]
settlement_day = 20      # 结算日：本月周期为上月次日至本月该日

[areas]
# 乡镇（街道）全称；台账里写简称也认。留空时按文件名、标题和“乡镇”列识别。
towns = []

[import]
alarm_pct = 20           # 人数或金额比上月多或少百分之几就提醒
ask_pct = 50             # 人数少掉、账号换掉、人均金额变动超过百分之几，先问再收
alarm_persons = 20       # 少于这么多人的名册不比

[posting]
days = 7                 # 公示天数
unit = "calendar"        # calendar 自然日 / working 工作日
count_first_day = true   # 张贴当日是否算第一天

[payment]
payer_name = ""          # 付款户名
payer_account = ""       # 付款账号
default_bank = "card_xlsx"  # 认不出开户银行时用的代发格式（见 jiuzhu policy list --banks）
max_line_yuan = 50000    # 单笔上限，超过即拦下
# separate_release = true   # 审批之后、导出之前，由制单人以外的人放行（jiuzhu pay release）
# require_signature = true  # 审批、放行都要签名（jiuzhu pay key make）
# combine_payees = true     # 一卡通：同一收款人几个项目的款合成一笔转账

[mail]
host = ""
port = 465
user = ""
sender = ""
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """An opened workspace. ``config`` is ``jiuzhu.toml`` as read; typed getters below cover what stages use."""

    root: Path
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def ledger_path(self) -> Path:
        return self.root / "ledger.db"

    @property
    def policy_dir(self) -> Path:
        return self.root / "policy"

    @property
    def templates_dir(self) -> Path:
        return self.root / "templates"

    @property
    def internal(self) -> Path:
        return self.root / "out" / "internal"

    @property
    def public(self) -> Path:
        return self.root / "out" / "public"

    @property
    def bank(self) -> Path:
        return self.root / "out" / "bank"

    @property
    def region(self) -> str:
        return str(self.get("bureau", "region", ""))

    @property
    def bureau(self) -> str:
        return str(self.get("bureau", "name", ""))

    @property
    def actor(self) -> str:
        return str(self.get("clerk", "actor", "")) or "经办人"

    @property
    def towns(self) -> list[str]:
        return [str(t) for t in self.get("areas", "towns", [])]

    def get(self, section: str, key: str, default: Any = None) -> Any:
        part = self.config.get(section, {})
        return part.get(key, default) if isinstance(part, dict) else default

    def open_store(self) -> Store:
        return Store(self.ledger_path)

    def relative(self, path: Path) -> str:
        """``path`` inside the workspace with '/' separators."""
        return path.resolve().relative_to(self.root.resolve()).as_posix()


def find_workspace(start: Path | None, *, explicit: bool) -> Workspace:
    """The workspace at ``start`` (explicit) or at the nearest folder upwards that holds ``jiuzhu.toml``.

    UsageError when there is none; DataError when its settings cannot be read.
    """
    here = (start or Path.cwd()).resolve()
    candidates = [here] if explicit else [here, *here.parents]
    for folder in candidates:
        config = folder / CONFIG_NAME
        if config.is_file():
            try:
                settings = tomli.loads(config.read_text("utf-8-sig"))
            except UnicodeDecodeError as error:
                raise DataError(f"{CONFIG_NAME} 不是 UTF-8 编码", "用记事本打开，另存为 UTF-8") from error
            except (tomli.TOMLDecodeError, RecursionError) as error:
                raise DataError(f"{CONFIG_NAME} 写法有误：{error}", "对照 docs/快速上手.md 改正") from error
            except OSError as error:
                raise OutsideError(f"读不了 {config}", "检查文件权限") from error
            check_settings(settings)
            return Workspace(folder, settings)
    where = f"“{here}”里" if explicit else "这里和上级文件夹里"
    raise UsageError(
        f"{where}没有工作区（缺 {CONFIG_NAME}）",
        "先运行 jiuzhu init 文件夹 --region 区划代码 --name 单位名称，或用 -C 指明工作区",
    )


def create_workspace(root: Path, *, region: str, name: str, actor: str = "", towns: tuple[str, ...] = ()) -> Workspace:
    """Makes a new workspace; folders 0700, files 0600. RefusedError when one is already there."""
    if (root / CONFIG_NAME).exists():
        raise RefusedError(f"“{root}”已经是工作区", "直接使用即可；要重建请换一个文件夹")
    if not name.strip() or not all(map(is_setting_text, (name, actor, *towns))):
        raise UsageError("单位名称、经办人、乡镇名称要是一行文字，不超过 200 字", "去掉换行等看不见的字符")
    if not (region.isascii() and region.isdigit() and len(region) in (6, 9, 12)):
        raise UsageError(f"行政区划代码“{region}”不对", "填 6 位数字代码，例如 --region 421002")
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        root.chmod(0o700)
        for folder in FOLDERS:
            (root / folder).mkdir(exist_ok=True, mode=0o700)
            (root / folder).chmod(0o700)
        if not (root / "ledger.db").exists():
            Store.create(root / "ledger.db")
        text = _CONFIG.format(name=_quote(name), region=_quote(region[:6]), actor=_quote(actor or "经办人"))
        if towns:
            text = text.replace("towns = []", "towns = [" + ", ".join(map(_quote, towns)) + "]")
        # the config is written last: a folder without it is no workspace, so a killed init can simply be run again
        temporary = root / (CONFIG_NAME + ".new")
        descriptor = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(root / CONFIG_NAME)
    except OSError as error:
        raise OutsideError(f"建不了工作区：{reason_of(error)}", "换一个可写的文件夹") from error
    return find_workspace(root, explicit=True)


def copy_workspace(workspace: Workspace, target: Path) -> Workspace:
    """A copy of settings, policy, templates, ledger and bank files at ``target``, for trial runs."""
    import shutil
    import sqlite3
    from contextlib import closing

    target.mkdir(mode=0o700)
    for folder in FOLDERS:
        (target / folder).mkdir(exist_ok=True, mode=0o700)
    for folder in ("policy", "templates", "out/bank"):
        if (workspace.root / folder).is_dir():
            shutil.copytree(workspace.root / folder, target / folder, dirs_exist_ok=True)
    shutil.copy2(workspace.root / CONFIG_NAME, target / CONFIG_NAME)
    os.close(os.open(target / "ledger.db", os.O_CREAT | os.O_RDWR, 0o600))
    with Store(workspace.ledger_path, migrate=False) as store, closing(sqlite3.connect(target / "ledger.db")) as copy:
        store.connection.backup(copy)
    return Workspace(target, workspace.config)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ").replace("\t", " ")
    return f'"{escaped}"'
