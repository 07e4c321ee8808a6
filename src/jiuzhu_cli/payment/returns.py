"""The bank's return (回盘): whose it is, matched row by row, booked whole or not at all (``pay return``)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError, RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.payment_states import ANSWERABLE, SENT
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger import returns as record
from jiuzhu_cli.ledger.files import recorded_files
from jiuzhu_cli.ledger.sent import bank_codes, sent_lines
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.answers import decode_return, fit_of
from jiuzhu_cli.payment.failures import failure_files, problem_file
from jiuzhu_cli.payment.layout import BankFile, read_bytes
from jiuzhu_cli.payment.matching import Match, match_return
from jiuzhu_cli.payment.pain import completed
from jiuzhu_cli.payment.parts import layout_of

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankLayout
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.tabular.cells import Workbook

SHOWN = 20  # rows told in an error; all of them stand in the file of problems


@dataclass(slots=True)
class Returned:
    """What one return said, in rows of the bank's file. ``missing``: those of this bank that no return has told of yet;
    ``amount_fen``: paid; ``by_reason``: failed rows by reason; ``only_failures``: this bank names no row that was paid; ``mending``: the
    towns' forms."""

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
    by_reason: dict[str, int] = field(default_factory=dict)
    only_failures: bool = False
    files: list[dict[str, Any]] = field(default_factory=list)
    mending: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        keys = (
            "lines", "succeeded", "failed", "partial", "missing", "unknown", "amount_fen", "failed_fen", "by_reason", "only_failures", "files",
            "mending",
        )  # fmt: skip
        head = {"batch": self.batch["payment_id"], "month": self.batch["month"], "state": self.batch["state"]}
        return head | {"bank": self.bank} | {key: getattr(self, key) for key in keys}


@dataclass(slots=True)
class Attempt:
    """The file read as the return of one batch and bank: how it matched, or why this layout cannot read it."""

    batch: dict[str, Any]
    layout: BankLayout
    match: Match | None = None
    error: DataError | None = None


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

    RefusedError when this file was read before or tells nothing new; DataError when any of its rows is unknown, doubled, of another
    batch, of another amount, of an unreadable result, or against what is on record: then nothing at all is booked, and every such
    row is listed in a file.
    """
    data = read_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    if not data.strip():
        raise DataError(f"{mask_text(path.name)} 是空的", "请重新取文件", code="unreadable_file")
    with store.writing(actor, "pay return"):
        before = record.return_by_digest(store, digest, payment_id=number)
        if before is not None:
            batch = payments.batch(store, before["payment_id"])
            failure_files(store, workspace, policy, batch, before["bank"], actor=actor, now=now)
            raise RefusedError(
                f"这份回盘已读过（第 {before['payment_id']} 批，{before['read_at'][:10]}），没有改动",
                "不用再读；内容恰好相同的另一批回盘，加 --batch 批次号",
                code="already",
            )
        if bank and bank not in policy.banks:
            raise UsageError(f"没有代发格式“{bank}”", f"可用：{'、'.join(policy.banks)}")
        try:
            with ThreadPoolExecutor(1) as pool:
                chosen = _choose(_Reading(store, policy, path, data, bank, pool), number)
        except _HeldError as held:
            held.file = problem_file(
                store, workspace, policy, held.batch, held.layout.code, held.match.problems, path, digest,
                actor=actor, now=now,
            )  # fmt: skip
            raise held.told() from None
        batch, layout, match = chosen.batch, chosen.layout, chosen.match
        assert match is not None
        if not match.fresh:
            raise RefusedError(f"第 {batch['payment_id']} 批的这些结果都已入账，没有改动", "不用再读", code="already")
        figures = _book(store, batch, layout, match, path, digest, actor=actor, now=now)
        batch = payments.batch(store, batch["payment_id"])
        files, mending = failure_files(store, workspace, policy, batch, layout.code, actor=actor, now=now)
    return Returned(
        batch, layout.code, **figures, failed_fen=match.failed_fen, by_reason=match.by_reason,
        only_failures=layout.returns_only_failures, files=files, mending=mending,
    )  # fmt: skip


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
        record.book_return(
            tx,
            payment_id=batch["payment_id"],
            bank=layout.code,
            file_name=mask_text(path.name),
            sha256=digest,
            figures=figures,
        )
        tx.journal(
            f"payment:{batch['payment_id']}",
            {"file": mask_text(path.name), "bank": layout.code, **figures, "reasons": match.by_reason},
            digest=digest,
        )
    return figures


# -- whose return it is -------------------------------------------------------------------------------------


class _Reading:
    """A file tried as the return of batches and banks; each layout reads it once."""

    def __init__(self, store: Store, policy: Policy, path: Path, data: bytes, bank: str, pool: Executor) -> None:
        self.store, self.policy, self.path, self.data, self.bank = store, policy, path, data, bank
        self._decoded: dict[str, BankFile | DataError] = {}
        self._opened: dict[Path, Workbook] = {}
        self._pool = pool

    def attempts(self, batches: Iterable[dict[str, Any]]) -> list[Attempt]:
        """One attempt for every batch and bank that the file could belong to; of a batch none beyond the one that fits wholly, since no
        other of its banks has the same lines."""
        made = []
        for batch in batches:
            for layout in self._layouts(batch):
                made.append(self._attempt(batch, layout))
                match = made[-1].match
                if match is not None and match.rows and match.fresh and not match.problems:
                    break
        return made

    def _layouts(self, batch: dict[str, Any]) -> list[BankLayout]:
        """The batch's layouts, those first whose files' names begin as this one's does."""
        codes = bank_codes(self.store, batch["payment_id"])
        found = [layout_of(self.policy, code) for code in codes if self.bank in ("", code)]
        return sorted(found, key=lambda layout: not self._called_so(layout))

    def _called_so(self, layout: BankLayout) -> bool:
        head = layout.file_name.partition("{")[0]
        return bool(head) and head in self.path.stem

    def _attempt(self, batch: dict[str, Any], layout: BankLayout) -> Attempt:
        number = batch["payment_id"]
        # what was sent is read while the file is, where it surely is that bank's
        ahead = sent_lines(self.store, number, layout.code, pool=self._pool) if self._called_so(layout) else None
        file = self._decode(layout)
        if isinstance(file, DataError):
            return Attempt(batch, layout, error=file)
        if layout.container == "pain001":  # a report may hold nothing but our references
            file = completed(layout, file, number, payments.transfers(self.store, number, bank=layout.code))
        lines = ahead or sent_lines(self.store, number, layout.code)
        return Attempt(batch, layout, match_return(layout, file, lines(), self.policy.reasons))

    def _decode(self, layout: BankLayout) -> BankFile | DataError:
        if layout.code not in self._decoded:
            try:
                self._decoded[layout.code] = decode_return(layout, self.path, self.data, self._opened)
            except DataError as error:
                self._decoded[layout.code] = error
        return self._decoded[layout.code]


class _HeldError(Exception):
    """The file fits one batch best, and not wholly."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        assert attempt.match is not None
        self.batch, self.layout, self.match = attempt.batch, attempt.layout, attempt.match
        self.file = ""

    def told(self) -> DataError:
        problems, kinds = self.match.problems, {wrong.kind for wrong in self.match.problems}
        shown = "；".join(mask_text(str(wrong)) for wrong in problems[:SHOWN])
        more = f"；另有 {len(problems) - SHOWN} 处" if len(problems) > SHOWN else ""
        todo, code = "把这些行告诉银行，请其重新给文件", "held_return"
        if kinds == {"late"}:
            which = " ".join(f"--line {wrong.line_no}" for wrong in problems[:SHOWN])
            todo = (
                f"与银行核对确已退回后冲正（款项重新算作未发）：jiuzhu pay reverse --batch {self.batch['payment_id']} {which} --reason 依据；"
                "文件里其余的行请银行另给"
            )
            code = "late_failure"
        elif kinds == {"unread"}:
            todo = (
                "问清银行这个结果是到账还是没有：只是受理、处理中的，等最后的结果；是银行自己的说法或代码的，"
                f"在工作区 policy/banks/{self.layout.code}.toml 的 success 或 failure 里写上，再读一次"
            )
        elif kinds == {"contradiction"}:
            which = " ".join(f"--line {wrong.line_no}" for wrong in problems[:SHOWN])
            todo, code = (
                (
                    f"先与银行核对以哪一次为准；记作失败、其实已到账的，由两人改记：jiuzhu pay reverse --batch {self.batch['payment_id']} --kind 实际到账 {which}"
                    " --reason 依据，再读这份文件；又补发过的，先把补发的追回"
                ),
                "contradicts",
            )
        if self.file:
            todo += f"；全部 {len(problems)} 处见 {self.file}"
        where = f"第 {self.batch['payment_id']} 批（{self.layout.name}）"
        return DataError(f"回盘与{where}对不上，整份未收，一笔也没有入账：{shown}{more}", todo, code=code)


def _choose(reading: _Reading, number: int) -> Attempt:
    """The one batch and bank whose rows these are; a file name that carries an exported file's name decides between several.

    Batches that still wait for an answer are tried first, those answered wholly only when none of them fits.
    """
    store, path = reading.store, reading.path
    if number:
        only = payments.batch(store, number)
        if only["state"] not in ANSWERABLE:
            said = "已办结，不再收回盘" if only["state"] in SENT else "还没有导出，不会有回盘"
            raise RefusedError(f"第 {number} 批{said}", "用 jiuzhu pay list 看各批到了哪一步", code="not_exported")
        every = [only]
    else:
        every = list(reversed(payments.batches(store, states=SENT)))
        if not every:
            raise RefusedError(
                "没有已导出的付款批次，读不了回盘", "用 jiuzhu pay list 看各批到了哪一步", code="not_exported"
            )
    named = _named(store, path, every)
    first = [batch for batch in every if batch["state"] == "exported" or batch["payment_id"] == named]
    tried = reading.attempts(first)
    if not any(one.match and not one.match.problems and one.match.fresh for one in tried):
        tried += reading.attempts(batch for batch in every if batch not in first)
    read = [one for one in tried if one.match is not None]
    _refuse_unreadable(tried, read)
    fitting = [one for one in read if one.match and not one.match.problems]
    if named and fitting and all(one.batch["payment_id"] != named for one in fitting):
        raise DataError(
            f"文件名是第 {named} 批的，内容却对不上该批，整份未收",
            "请核对是不是拿错了文件；确认无误时改文件名并加 --batch",
            code="held_return",
        )
    if len(fitting) > 1:
        fitting = [one for one in fitting if one.batch["payment_id"] == named] or fitting
        fitting = [one for one in fitting if one.match and one.match.fresh] or fitting[:1]
    if len(fitting) > 1:
        numbers = "、".join(sorted({str(one.batch["payment_id"]) for one in fitting}))
        raise UsageError(f"这份回盘和几个批次（或格式）都对得上：{numbers}", "用 --batch 批次号 和 --bank 格式 指明")
    if fitting:
        return _answerable(fitting[0])
    best = min(read, key=lambda one: len(one.match.problems) if one.match else 0)
    match = best.match
    assert match is not None
    if match.rows and match.unknown == match.rows:
        raise DataError(
            f"回盘 {match.rows} 笔没有一笔对得上，可能是别的批次的，整份未收",
            "核对是不是拿错了文件；用 --batch 指明批次",
            code="held_return",
        )
    raise _HeldError(best)


def _answerable(chosen: Attempt) -> Attempt:
    """RefusedError when the batch is closed: nothing new may be booked there; what it told already is refused as such later."""
    if chosen.batch["state"] not in ANSWERABLE and chosen.match and chosen.match.fresh:
        raise RefusedError(
            f"第 {chosen.batch['payment_id']} 批已办结，不再收回盘", "用 jiuzhu pay list 查看", code="not_exported"
        )
    return chosen


def _refuse_unreadable(tried: Sequence[Attempt], read: Sequence[Attempt]) -> None:
    """The reason of the layout that came furthest, when no layout could read the file or nothing it read is known."""
    broken = [(one.error, one.layout) for one in tried if one.error is not None]
    best, owner = max(broken, key=lambda pair: fit_of(pair[0]), default=(None, None))
    strange = all(one.match and one.match.rows and one.match.unknown == one.match.rows for one in read)
    if best is not None and owner is not None and strange and (not read or fit_of(best) > 0.5):
        named_in = owner.name in best.message or len(broken) == 1
        raise DataError(best.message if named_in else f"按“{owner.name}”读：{best.message}", best.todo, code=best.code)
    if not read:
        raise UsageError("该批没有这家银行的付款", "用 jiuzhu pay show 看该批有哪些格式")


def _named(store: Store, path: Path, batches: Sequence[dict[str, Any]]) -> int:
    """The batch whose exported file's name stands in the return's file name; 0 when none."""
    hits: dict[int, int] = {}
    for batch in batches:
        for row in recorded_files(store, entity=f"payment:{batch['payment_id']}"):
            stem = Path(str(row["path"])).stem
            if row["kind"] == "bank_file" and stem in path.stem:
                hits[batch["payment_id"]] = max(hits.get(batch["payment_id"], 0), len(stem))
    return max(hits, key=lambda key: hits[key]) if hits else 0
