"""The bank's return (回盘): read by the layout's own table, matched line by line, booked whole or not at all.

``read_return`` is the stage; ``write_return`` is the encoding side of the same table, for rehearsals and tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError, RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.payment_states import ANSWERABLE
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.files import record_file, recorded_files
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.layout import BankFile, Columns, Summary, decode_text, encode_text, read_bytes
from jiuzhu_cli.payment.matching import Match, match_return
from jiuzhu_cli.payment.pain import completed, read_status, status_report
from jiuzhu_cli.payment.parts import Part, layout_of, parts
from jiuzhu_cli.payment.sheets import read_sheet, write_sheet
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout
    from jiuzhu_cli.policy.load import Policy

# words in a bank's reason → what the town is asked to do
ADVICE = (
    (("户名", "姓名", "证件"), "核对户名、身份证与账户是否一致，更正名册"),
    (("销户", "不存在", "无此账", "账号错", "账号有误", "帐号"), "请对象提供有效账号，更正名册"),
    (("冻结", "止付", "挂失", "只收不付", "睡眠", "不动户", "久悬"), "请对象到银行恢复账户，或换一个账号"),
)
_ACCOUNT_HEADS = [
    word.encode(encoding) for word in ("账号", "帐号", "卡号") for encoding in ("gb18030", "utf-8", "utf-16-le")
]
ADVICE_ELSE = "问清银行原因，更正后重新制单补发"


@dataclass(slots=True)
class Returned:
    """What one return said. ``missing``: lines of this bank that no return has told of yet; ``amount_fen``: paid."""

    batch: dict[str, Any]
    bank: str
    lines: int
    succeeded: int
    failed: int
    partial: int
    missing: int
    unknown: int
    amount_fen: int
    failed_fen: int
    files: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        keys = ("lines", "succeeded", "failed", "partial", "missing", "unknown", "amount_fen", "failed_fen", "files")
        head = {"batch": self.batch["payment_id"], "month": self.batch["month"], "state": self.batch["state"]}
        return head | {"bank": self.bank} | {key: getattr(self, key) for key in keys}


def return_shape(layout: BankLayout) -> tuple[BankColumn, ...]:
    """The columns of the bank's return: as the layout says, else the exported ones with 结果 and 失败原因 behind them."""
    return layout.returns or extended_shape(layout)


def extended_shape(layout: BankLayout) -> tuple[BankColumn, ...]:
    from jiuzhu_cli.policy.bank_layout import BankColumn

    return (
        *layout.columns,
        BankColumn(name="结果", source="result", width=10),
        BankColumn(name="失败原因", source="reason", width=60),
    )


def decode_return(layout: BankLayout, path: Path, data: bytes) -> BankFile:
    """A return file as columns: by the layout's returns table, by the exported columns and two more, or by its headers.

    When none fits, the DataError of the reading that came furthest.
    """
    binary = data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
    needed = ("account_no", "amount", "result")
    if layout.container == "pain001":
        return read_status(layout, data)
    if layout.is_book or binary:
        return read_sheet(path, return_shape(layout), needed=needed)
    ways: list[tuple[Sequence[BankColumn], bool, bool]] = [
        (return_shape(layout), layout.returns_header, layout.returns_summary),
        (extended_shape(layout), layout.header, bool(layout.summary)),
    ]
    errors: list[DataError] = []
    for shape, header, with_summary in ways:
        try:
            return decode_text(layout, data, shape=shape, header=header, with_summary=with_summary)
        except DataError as error:
            errors.append(error)
    if any(word in data[:4096] for word in _ACCOUNT_HEADS):
        try:  # a text table with a header line
            return read_sheet(path, return_shape(layout), needed=needed)
        except DataError as error:
            errors.append(error)
    raise max(errors, key=_fit)


def _fit(error: DataError) -> float:
    return getattr(error, "fit", 0.0)


def read_return(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    path: Path,
    *,
    bank: str = "",
    number: int = 0,
    actor: str,
    now: datetime,
) -> Returned:
    """Books a return file.

    RefusedError when this file was read before or tells nothing new; DataError when any of its lines is unknown, doubled,
    of another batch, of another amount or of an unreadable result: then nothing at all is booked.
    """
    data = read_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    store.lock.acquire(f"{actor} 正在运行 pay return")
    try:
        before = payments.return_by_digest(store, digest, payment_id=number)
        if before is not None:
            batch = payments.batch(store, before["payment_id"])
            assert batch is not None
            failure_file(store, workspace, policy, batch, before["bank"], actor=actor, now=now)
            raise RefusedError(
                f"这份回盘已读过（第 {before['payment_id']} 批，{before['read_at'][:10]}），没有改动",
                "不用再读；内容恰好相同的另一批回盘，加 --batch 批次号",
                code="already",
            )
        if bank and bank not in policy.banks:
            raise UsageError(f"没有代发格式“{bank}”", f"可用：{'、'.join(policy.banks)}")
        batch, layout, match = _choose(_attempts(store, policy, path, data, bank, number), store, path)
        if not match.fresh:
            raise RefusedError(f"第 {batch['payment_id']} 批的这些结果都已入账，没有改动", "不用再读", code="already")
        figures = _book(store, batch, layout, match, path, digest, actor=actor, now=now)
        batch = payments.batch(store, batch["payment_id"]) or batch
        files = failure_file(store, workspace, policy, batch, layout.code, actor=actor, now=now)
    finally:
        store.lock.release()
    return Returned(batch, layout.code, **figures, failed_fen=match.failed_fen, files=files)


def _book(
    store: Store,
    batch: dict[str, Any],
    layout: BankLayout,
    match: Match,
    path: Path,
    digest: str,
    *,
    actor: str,
    now: datetime,
) -> dict[str, int]:
    figures = match.figures()
    store.stage("outcome", match.outcome)
    with store.transaction(actor=actor, command="pay return", now=now) as tx:
        payments.book_return(
            tx,
            payment_id=batch["payment_id"],
            bank=layout.code,
            file_name=mask_text(path.name),
            sha256=digest,
            figures=figures,
        )
        tx.journal(
            f"payment:{batch['payment_id']}",
            {"file": mask_text(path.name), "bank": layout.code, **figures},
            digest=digest,
        )
    return figures


Attempt = tuple[dict[str, Any], "BankLayout", "Match | DataError"]


def _attempts(store: Store, policy: Policy, path: Path, data: bytes, bank: str, number: int) -> Iterator[Attempt]:
    """The file read as the return of every batch and bank that it could belong to."""
    if number:
        chosen = payments.batch(store, number)
        if chosen is None:
            raise UsageError(f"没有第 {number} 批", "用 jiuzhu pay list 查看")
        if chosen["state"] not in ANSWERABLE:
            raise RefusedError(
                f"第 {number} 批还没有导出，不会有回盘", "用 jiuzhu pay list 看各批到了哪一步", code="not_exported"
            )
        batches = [chosen]
    else:
        batches = payments.batches(store, states=ANSWERABLE)
        if not batches:
            raise RefusedError(
                "没有已导出的付款批次，读不了回盘", "用 jiuzhu pay list 看各批到了哪一步", code="not_exported"
            )
    decoded: dict[str, BankFile | DataError] = {}
    for batch in reversed(batches):
        for entry in payments.banks_of(store, batch["payment_id"]):
            if bank and entry["bank"] != bank:
                continue
            layout = layout_of(policy, entry["bank"])
            if layout.code not in decoded:
                try:
                    decoded[layout.code] = decode_return(layout, path, data)
                except DataError as error:
                    decoded[layout.code] = error
            file = decoded[layout.code]
            if isinstance(file, DataError):
                yield batch, layout, file
            else:
                sent = payments.transfers(store, batch["payment_id"], bank=layout.code)
                yield batch, layout, match_return(layout, completed(layout, file, batch["payment_id"], sent), sent)


def _choose(attempts: Iterator[Attempt], store: Store, path: Path) -> tuple[dict[str, Any], BankLayout, Match]:
    """The one batch and bank whose lines these are; a file name that carries an exported file's name decides between several."""
    read: list[tuple[dict[str, Any], BankLayout, Match]] = []
    broken: list[tuple[DataError, BankLayout]] = []
    for batch, layout, result in attempts:
        if isinstance(result, DataError):
            broken.append((result, layout))
        else:
            read.append((batch, layout, result))
    best, owner = max(broken, key=lambda one: _fit(one[0]), default=(None, None))
    strange = all(match.rows and match.unknown == match.rows for _, _, match in read)
    if best is not None and owner is not None and strange and (not read or _fit(best) > 0.5):
        named_in = owner.name in best.message or len(broken) == 1
        raise DataError(best.message if named_in else f"按“{owner.name}”读：{best.message}", best.todo, code=best.code)
    if not read:
        raise UsageError("该批没有这家银行的付款", "用 jiuzhu pay show 看该批有哪些格式")
    fitting = [one for one in read if not one[2].problems]
    named = _named(store, path, [one[0] for one in read])
    if named and fitting and all(one[0]["payment_id"] != named for one in fitting):
        raise DataError(
            f"文件名是第 {named} 批的，内容却对不上该批，整份未收",
            "请核对是不是拿错了文件；确认无误时改文件名并加 --batch",
            code="held_return",
        )
    if len(fitting) > 1:
        fitting = [one for one in fitting if one[0]["payment_id"] == named] or fitting
        fitting = [one for one in fitting if one[2].fresh] or fitting[:1]
    if len(fitting) > 1:
        numbers = "、".join(sorted({str(one[0]["payment_id"]) for one in fitting}))
        raise UsageError(f"这份回盘和几个批次（或格式）都对得上：{numbers}", "用 --batch 批次号 和 --bank 格式 指明")
    if fitting:
        return fitting[0]
    batch, layout, match = min(read, key=lambda one: len(one[2].problems))
    if match.rows and match.unknown == match.rows:
        raise DataError(
            f"回盘 {match.rows} 笔没有一笔对得上，可能是别的批次的，整份未收",
            "核对是不是拿错了文件；用 --batch 指明批次",
            code="held_return",
        )
    shown = "；".join(mask_text(text) for text in match.problems[:20])
    more = f"；另有 {len(match.problems) - 20} 处" if len(match.problems) > 20 else ""
    raise DataError(
        f"回盘与第 {batch['payment_id']} 批（{layout.name}）对不上，整份未收，一笔也没有入账：{shown}{more}",
        "把这些行告诉银行，请其重新给文件",
        code="held_return",
    )


def _named(store: Store, path: Path, batches: Sequence[dict[str, Any]]) -> int:
    """The batch whose exported file's name stands in the return's file name; 0 when none."""
    hits: dict[int, int] = {}
    for batch in batches:
        for row in recorded_files(store, entity=f"payment:{batch['payment_id']}"):
            stem = Path(str(row["path"])).stem
            if row["kind"] == "bank_file" and stem in path.stem:
                hits[batch["payment_id"]] = max(hits.get(batch["payment_id"], 0), len(stem))
    return max(hits, key=lambda key: hits[key]) if hits else 0


def failure_file(
    store: Store, workspace: Workspace, policy: Policy, batch: dict[str, Any], bank: str, *, actor: str, now: datetime
) -> list[dict[str, Any]]:
    """Failed lines of a batch and bank, with what to do, as a workbook in ``out/internal/pay``; [] when none failed."""
    failed = payments.lines(store, batch["payment_id"], bank=bank, state="failed").to_pylist()
    if not failed:
        return []
    names = {code: programme.name for code, programme in policy.programmes.items()}
    rows = [
        (
            line["line_no"], line["town"], line["village"], line["recipient_name"], line["recipient_id_no"],
            names.get(line["programme"], line["programme"]), line["amount_fen"], line["payee_name"], line["account_no"], line["bank_name"],
            line["reason"], advice(line["reason"]),
        )
        for line in sorted(failed, key=lambda line: (line["town"], line["village"], line["line_no"]))
    ]  # fmt: skip
    head = [
        ColumnSpec("序号", 6, "count"), ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 20),
        ColumnSpec("救助项目", 18), ColumnSpec("金额（元）", 12, "amount"), ColumnSpec("户名", 10), ColumnSpec("账号", 22), ColumnSpec("开户银行", 18),
        ColumnSpec("失败原因", 22, wrap=True), ColumnSpec("怎么办", 36, wrap=True),
    ]  # fmt: skip
    stem = f"发放失败_{batch['month']}_第{batch['sequence']:02d}批_{_short_name(policy, bank)}"
    path = workspace.internal / "pay" / str(batch["month"]) / f"{stem}.xlsx"
    total = sum(line["amount_fen"] for line in failed)
    sums = ("", "合计", f"{len(rows)} 笔", "", "", "", total, *[""] * 5)
    digest = write_xlsx(
        path,
        [
            SheetSpec(
                name="发放失败", columns=head, rows=[*rows, sums], title=f"{batch['month']} 发放失败 {len(rows)} 笔"
            )
        ],
    )
    name, entity = workspace.relative(path), f"payment:{batch['payment_id']}"
    if {str(r["path"]): r["sha256"] for r in recorded_files(store, entity=entity)}.get(name) != digest:
        with store.transaction(actor=actor, command="pay return", now=now) as tx:
            record_file(
                tx, workspace, path, entity=entity, kind="failures", sha256=digest, lines=len(rows), amount_fen=total
            )
            tx.journal(entity, {"file": path.name, "failed": len(rows), "amount_fen": total}, digest=digest)
    return [{"path": name, "bank": bank, "lines": len(rows), "amount_fen": total, "sha256": digest}]


def _short_name(policy: Policy, bank: str) -> str:
    """A bank's name for file names; with the layout's code when several layouts share it."""

    def word(code: str) -> str:
        layout = policy.banks[code]
        name = layout.banks[0] if layout.banks else layout.name.partition("（")[0]
        return "".join(letter for letter in name if letter.isalnum())

    if bank not in policy.banks:
        return bank
    mine = word(bank)
    shared = not mine or any(word(code) == mine for code, one in policy.banks.items() if code != bank and one.routed)
    return f"{mine}{bank}" if shared else mine


def advice(reason: str) -> str:
    return next((todo for words, todo in ADVICE if any(word in reason for word in words)), ADVICE_ELSE)


# -- the encoding side ----------------------------------------------------------------------------------------


def outcome_columns(layout: BankLayout, columns: Columns, failures: Mapping[int, str]) -> Columns:
    """``columns`` with ``result`` and ``reason``: lines whose number is in ``failures`` failed for that reason."""
    numbers = columns["line_no"]
    return {
        **columns,
        "result": [layout.failure[0] if number in failures else layout.success[0] for number in numbers],
        "reason": [failures.get(number, "") for number in numbers],
    }


def encode_return(layout: BankLayout, columns: Columns, summary: Summary) -> bytes:
    """A delimited or fixed-width return as the bank would send it; ``columns`` with ``result, reason``."""
    return encode_text(
        layout,
        columns,
        summary,
        shape=return_shape(layout),
        header=layout.returns_header,
        with_summary=layout.returns_summary,
    )


def write_return(layout: BankLayout, path: Path, part: Part, failures: Mapping[int, str]) -> None:
    """Writes the return of one exported file with the given failures (line number → reason)."""
    columns = outcome_columns(layout, part.columns, failures)
    if layout.is_book:
        write_sheet(layout, path, columns, shape=return_shape(layout))
    elif layout.container == "pain001":
        path.write_bytes(b"".join(status_report(columns, part.summary)))
    else:
        path.write_bytes(encode_return(layout, columns, part.summary))


def simulate_returns(
    store: Store, workspace: Workspace, policy: Policy, payment_id: int, folder: Path, failures: Mapping[int, str]
) -> list[Path]:
    """A rehearsal bank: answers every file of an exported batch into ``folder``; returns the paths."""
    batch = payments.batch(store, payment_id)
    assert batch is not None
    made = []
    for part in parts(store, workspace, policy, batch):
        path = folder / f"{part.path.stem}_回盘{part.path.suffix}"
        write_return(layout_of(policy, part.bank), path, part, failures)
        made.append(path)
    return made
