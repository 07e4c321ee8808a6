"""What comes of a bank's answer on paper: the list of failed lines, a form for each town to mend them, the rows that held a file back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.mask import mask_account, mask_text
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.files import record_file, recorded_files
from jiuzhu_cli.ledger.sent import bank_codes, failed_lines
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.matching import Wrong
from jiuzhu_cli.payment.mending import HANDLED, REGISTER, RELATIONS, key_of, reason_of, wants_mending
from jiuzhu_cli.tabular.files import safe_name, sha256_of
from jiuzhu_cli.tabular.ours import AREA_MARK, MARK, MONTH_MARK
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

_FORM = (
    ColumnSpec("序号", 6, "count"), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 9, wrap=True), ColumnSpec("身份证号", 20), ColumnSpec("救助项目", 14, wrap=True),
    ColumnSpec("应发月份", 9), ColumnSpec("应发金额（元）", 11, "amount"), ColumnSpec("被退的收款信息", 24, wrap=True), ColumnSpec("银行说的", 16, wrap=True),
    ColumnSpec("退回原因", 12, wrap=True), ColumnSpec("怎么办", 34, wrap=True), *(ColumnSpec(name, width, choices=choices, fill="yellow") for name, width, choices in (
        ("处理", 12, HANDLED), ("新户名", 10, None), ("新账号", 22, None), ("新开户银行", 16, None), ("户名与本人关系", 11, RELATIONS), ("核实人", 10, None),
        ("核实日期", 12, None),
    )), ColumnSpec("说明", 20, wrap=True), ColumnSpec("笔号", 10, fill="grey"),
)  # fmt: skip
_NOTES = (
    "内部资料，不得外传。逐笔核实后在黄格里填：处理、核实人必填；换了账户的填新账号（开户行变了的也填），户名写法不对的填新户名；没有改的留空。",
    "新账号是文本格式，一位一位照存折或银行卡填；户名不是本人的，写明与本人的关系。灰色的笔号用来对回这一笔，不要改。",
    "填好交回后运行 jiuzhu import 本文件，再运行 jiuzhu pay draft 制补发单：填好的按新账户补发，没有填的继续拦下。",
)


def failure_files(
    store: Store, workspace: Workspace, policy: Policy, batch: dict[str, Any], bank: str, *, actor: str, now: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The list of failed lines of a batch and bank, and the towns' forms for all of the batch that has to be mended; [] when none failed.

    Entries: ``path, bank, lines, amount_fen, sha256``; of a form also ``town``.
    """
    own = failed_lines(store, batch["payment_id"], bank=bank)
    made = _failure_list(store, workspace, policy, batch, bank, own, actor=actor, now=now) if own else []
    return made, mending_forms(store, workspace, policy, batch, actor=actor, now=now)


def _failure_list(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    batch: dict[str, Any],
    bank: str,
    failed: Sequence[dict[str, Any]],
    *,
    actor: str,
    now: datetime,
) -> list[dict[str, Any]]:
    names = {code: programme.name for code, programme in policy.programmes.items()}
    rows = []
    for line in sorted(failed, key=lambda line: (line["town"], line["village"], line["line_no"])):
        reason = reason_of(policy, line)
        rows.append((
            line["line_no"], line["town"], line["village"], line["recipient_name"], line["recipient_id_no"],
            names.get(line["programme"], line["programme"]), line["amount_fen"], line["payee_name"], line["account_no"], line["bank_name"],
            line["reason"], reason.name, reason.todo,
        ))  # fmt: skip
    head = [
        ColumnSpec("序号", 6, "count"), ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 20),
        ColumnSpec("救助项目", 18), ColumnSpec("金额（元）", 12, "amount"), ColumnSpec("户名", 10), ColumnSpec("账号", 22), ColumnSpec("开户银行", 18),
        ColumnSpec("银行说的", 22, wrap=True), ColumnSpec("失败原因", 14, wrap=True), ColumnSpec("怎么办", 40, wrap=True),
    ]  # fmt: skip
    stem = f"发放失败_{batch['month']}_第{batch['sequence']:02d}批_{_short_name(store, policy, batch, bank)}"
    path = _folder(workspace, batch) / f"{stem}.xlsx"
    total = sum(line["amount_fen"] for line in failed)
    sums = ("", "合计", f"{len(rows)} 笔", "", "", "", total, *[""] * 6)
    sheet = SheetSpec(
        name="发放失败", columns=head, rows=[*rows, sums], title=f"{batch['month']} 发放失败 {len(rows)} 笔"
    )
    digest = write_xlsx(path, [sheet], rapid=True)
    name, entity = workspace.relative(path), f"payment:{batch['payment_id']}"
    if {str(r["path"]): r["sha256"] for r in recorded_files(store, entity=entity)}.get(name) != digest:
        with store.transaction(actor=actor, command="pay return", now=now) as tx:
            record_file(
                tx, workspace, path, entity=entity, kind="failures", sha256=digest, lines=len(rows), amount_fen=total
            )
            tx.journal(entity, {"file": path.name, "failed": len(rows), "amount_fen": total}, digest=digest)
    return [_entry(name, bank, len(rows), total, digest)]


def mending_forms(
    store: Store, workspace: Workspace, policy: Policy, batch: dict[str, Any], *, actor: str, now: datetime
) -> list[dict[str, Any]]:
    """A workbook a town with what of the batch failed, or came back later, and has to be mended.

    One that stands there with the same lines is left alone, filled in or not; more lines make a new one.
    """
    transfers: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for line in failed_lines(store, batch["payment_id"], reversed_=True):
        if wants_mending(reason_of(policy, line)):
            transfers.setdefault(line["town"], {}).setdefault(line["transfer_no"], []).append(line)
    entity = f"mending:{batch['payment_id']}"
    known = {str(row["path"]): row for row in recorded_files(store, entity=entity)}
    made, fresh = [], []
    for town, own in sorted(transfers.items()):
        total = sum(line["amount_fen"] for lines in own.values() for line in lines)
        stem = safe_name(f"失败更正_{batch['month']}_第{batch['sequence']:02d}批_{town or '未注明乡镇'}")
        for number in itertools.count(1):
            path = _folder(workspace, batch) / (f"{stem}_{number}.xlsx" if number > 1 else f"{stem}.xlsx")
            name = workspace.relative(path)
            before = known.get(name)
            stands = before is not None and path.exists()
            same = before is not None and (before["lines"], before["amount_fen"]) == (len(own), total)
            if (stands and same) or not path.exists() or (before and sha256_of(path) == before["sha256"]):
                break  # never over what somebody has filled in
        if stands and same and before:
            made.append(_entry(name, "", len(own), total, str(before["sha256"])) | {"town": town})
            continue
        digest = _write_form(path, policy, batch, town, own)
        made.append(_entry(name, "", len(own), total, digest) | {"town": town})
        fresh.append((path, made[-1]))
    if fresh:
        with store.transaction(actor=actor, command="pay return", now=now) as tx:
            for path, entry in fresh:
                record_file(
                    tx, workspace, path, entity=entity, kind="mending", sha256=entry["sha256"], lines=entry["lines"],
                    amount_fen=entry["amount_fen"],
                )  # fmt: skip
                tx.journal(entity, {"file": path.name, "lines": entry["lines"]}, digest=entry["sha256"])
    return made


def _write_form(
    path: Path, policy: Policy, batch: dict[str, Any], town: str, transfers: dict[int, list[dict[str, Any]]]
) -> str:
    names = {code: programme.name for code, programme in policy.programmes.items()}
    rows: list[tuple[Any, ...]] = []
    for lines in sorted(transfers.values(), key=lambda lines: (lines[0]["village"], lines[0]["line_no"])):
        first, reason = lines[0], reason_of(policy, lines[0])
        account = f"{first['payee_name']} {mask_account(first['account_no'])} {first['bank_name'] or ''}".strip()
        rows.append((
            len(rows) + 1, first["village"], first["recipient_name"], first["recipient_id_no"],
            "、".join(dict.fromkeys(names.get(line["programme"], line["programme"]) for line in lines)),
            "、".join(dict.fromkeys(line["month"] for line in lines)), sum(line["amount_fen"] for line in lines), account, mask_text(first["reason"]),
            reason.name, reason.todo, "", "", "", "", "", "", "", "", key_of(batch["payment_id"], first["transfer_no"]),
        ))  # fmt: skip
    sheet = SheetSpec(
        safe_name(town or "全区", limit=28), _FORM, rows, title=f"{batch['month']} {town} 发放失败更正表", notes=_NOTES, freeze_columns=4,
        print_columns=len(_FORM) - 1,
    )  # fmt: skip
    marks = {MARK: f"register:{REGISTER}", MONTH_MARK: str(batch["month"])} | ({AREA_MARK: town} if town else {})
    return write_xlsx(path, [sheet], marks=marks, rapid=True)


def problem_file(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    batch: dict[str, Any],
    bank: str,
    problems: Sequence[Wrong],
    source: Path,
    digest: str,
    *,
    actor: str,
    now: datetime,
) -> str:
    """Every row that held a return back, with what we sent and why it does not fit, as a workbook; its path.

    The file read is noted by its digest (once), so that it can be told later which file was refused.
    """
    sent = _told_of(store, batch, bank, {wrong.transfer_no for wrong in problems} - {0})
    rows = []
    for wrong in problems:
        line = sent.get(wrong.transfer_no, {})
        rows.append((
            wrong.row or None, mask_text(wrong.what), wrong.transfer_no or None, line.get("town", ""), line.get("recipient_name", ""),
            mask_account(line.get("account_no", "")), line.get("amount_fen"),
        ))  # fmt: skip
    head = [
        ColumnSpec("回盘第几行", 10, "count"), ColumnSpec("哪里不对", 60, wrap=True), ColumnSpec("本批序号", 10, "count"), ColumnSpec("乡镇", 12), ColumnSpec("姓名", 10),
        ColumnSpec("账号", 22), ColumnSpec("发出的金额（元）", 14, "amount"),
    ]  # fmt: skip
    stem = (
        f"回盘未收_{batch['month']}_第{batch['sequence']:02d}批_{_short_name(store, policy, batch, bank)}_{digest[:6]}"
    )
    path = _folder(workspace, batch) / f"{stem}.xlsx"
    title = f"{batch['month']} 第 {batch['payment_id']} 批回盘整份未收：{len(problems)} 处不对"
    made = write_xlsx(path, [SheetSpec("回盘未收", head, rows, title=title, notes=(mask_text(source.name),))])
    name, entity = workspace.relative(path), f"held_return:{batch['payment_id']}"
    if {str(r["path"]): r["sha256"] for r in recorded_files(store, entity=entity)}.get(name) != made:
        with store.transaction(actor=actor, command="pay return", now=now) as tx:
            record_file(tx, workspace, path, entity=entity, kind="held_return", sha256=made, lines=len(rows))
            tx.journal(
                entity, {"file": mask_text(source.name), "bank": bank, "held": True, "problems": len(rows)}, digest=digest
            )  # fmt: skip
    return name


def _told_of(store: Store, batch: dict[str, Any], bank: str, transfers: set[int]) -> dict[int, dict[str, Any]]:
    """Transfer → its line as ``payments.lines`` has it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not transfers:
        return {}
    lines = payments.lines(store, batch["payment_id"], bank=bank)
    named = lines.filter(pc.is_in(lines["transfer_no"], pa.array(sorted(transfers), pa.int64())))
    return {line["transfer_no"]: line for line in named.to_pylist()}


def _folder(workspace: Workspace, batch: dict[str, Any]) -> Path:
    return workspace.internal / "pay" / str(batch["month"])


def _entry(path: str, bank: str, lines: int, amount_fen: int, digest: str) -> dict[str, Any]:
    return {"path": path, "bank": bank, "lines": lines, "amount_fen": amount_fen, "sha256": digest}


def _short_name(store: Store, policy: Policy, batch: dict[str, Any], bank: str) -> str:
    """A bank's name for file names; with the layout's code where several layouts of the batch share it."""

    def word(code: str) -> str:
        layout = policy.banks[code]
        name = layout.banks[0] if layout.banks else layout.name.partition("（")[0]
        return "".join(letter for letter in name if letter.isalnum())

    if bank not in policy.banks:
        return bank
    mine = word(bank)
    others = [code for code in bank_codes(store, batch["payment_id"]) if code != bank]
    shared = not mine or any(word(code) == mine for code in others if code in policy.banks)
    return f"{mine}{bank}" if shared else mine
