"""The papers of a batch, written, digested and put on the record: slip, summary, rosters, voucher. Made again they are the same bytes.

When: slip and summary when the batch is locked (that is what the approver signs), the slip again with each approver's name, rosters at the
lock of a batch of bearable size or when asked for, the voucher when the bank files leave. Everything stands in the internal folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import OutsideError, RefusedError
from jiuzhu_cli.core.payment_states import FIXED, SENT, WORDS
from jiuzhu_cli.ledger import overrides, payments
from jiuzhu_cli.ledger.files import forget_file, record_file, recorded_files
from jiuzhu_cli.ledger.payment_moves import moves
from jiuzhu_cli.ledger.payment_sums import back_paid, came_back, computed_sums, held_sums, keep_sums, kept_sums
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.figures import Figures, Key, figures, returned_sources, tallied
from jiuzhu_cli.payment.filing import filing_list
from jiuzhu_cli.payment.holds import BY_CODE
from jiuzhu_cli.payment.levels import given, needed
from jiuzhu_cli.payment.roster import Roster, roster_sheets, rosters
from jiuzhu_cli.payment.slip import Check, Held, overrides_list, overrides_told, signatures_of, slip
from jiuzhu_cli.payment.summary import summary
from jiuzhu_cli.payment.voucher import Line, voucher_csv, voucher_lines, voucher_sheets
from jiuzhu_cli.tabular.files import safe_name, sha256_of, write_bytes, write_unless_altered
from jiuzhu_cli.tabular.printed import Printed, write_printed
from jiuzhu_cli.tabular.write import SheetSpec, write_xlsx
from jiuzhu_cli.tabular.writecsv import write_csv

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

SLIP, SUMMARY, ROSTER, VOUCHER = "slip", "summary", "roster", "voucher"
ROSTER_MASKED = "roster_masked"  # the edition with numbers covered
RETURNED = "voucher_returned"  # what came back, booked off
FILING = "filing_list"  # made with every other
KINDS = (SLIP, SUMMARY, ROSTER, VOUCHER, RETURNED)
KIND_WORDS = {
    SLIP: "审批单",
    SUMMARY: "发放汇总表",
    ROSTER: "花名册",
    ROSTER_MASKED: "花名册（遮盖号码）",
    VOUCHER: "记账凭证",
    RETURNED: "退回凭证",
    FILING: "归档清单",
}
ROSTER_LINES = 20_000  # up to so many lines rosters are made at the lock, unless jiuzhu.toml says otherwise
LISTED = 2_000  # lines let through that the slip lists one by one


@dataclass(slots=True)
class Paper:
    """One file to be: what it is, where it goes, what writes it, and what it counts."""

    kind: str
    path: Path
    write: Callable[[Path], str]
    lines: int
    amount_fen: int


@dataclass(slots=True)
class Papers:
    """What stands now. ``papers``: ``kind, path, lines, amount_fen, sha256``; ``written``: how many are new or changed; ``mended``: were altered."""

    batch: dict[str, Any]
    papers: list[dict[str, Any]] = field(default_factory=list)
    written: int = 0
    mended: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        keys = ("month", "sequence", "state", "lines", "amount_fen")
        return {
            "batch": self.batch["payment_id"],
            **{key: self.batch[key] for key in keys},
            "papers": self.papers,
            "written": self.written,
        }


def entity_of(payment_id: int) -> str:
    """Under what the papers stand in the manifest: not the batch's own, whose altered files stop its export."""
    return f"payment_papers:{payment_id}"


def kinds_at(workspace: Workspace, batch: dict[str, Any]) -> tuple[str, ...]:
    """What is made of itself when a batch reaches its present state; rosters of a large batch are made when asked for."""
    rosters = batch["lines"] <= int(workspace.get("payment", "roster_lines", ROSTER_LINES))
    return {
        "locked": (SLIP, SUMMARY, *((ROSTER,) if rosters else ())),
        "approved": (SLIP,),
        "exported": (SLIP, VOUCHER),
        "reconciled": (RETURNED,),
        "closed": (SLIP,),  # and with it the filing list, now complete
    }.get(str(batch["state"]), ())


def make_papers(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    batch: dict[str, Any],
    kinds: Collection[str],
    *,
    actor: str,
    now: datetime,
    command: str,
    programmes: Sequence[str] = (),
    town: str = "",
    masked: bool = False,
    mend: bool = False,
    anew: bool = False,
) -> Papers:
    """Writes the papers of ``kinds`` and puts them on the record; made again they are the same bytes.

    ``programmes`` (codes) and ``town`` choose rosters; ``masked`` makes their edition with numbers covered. ``anew``: the batch was locked
    just now, papers of an earlier lock are withdrawn. RefusedError when the batch is a draft or cancelled, when a voucher is asked for
    before the money left, when its sums do not agree, and when a paper was altered since (``mend`` writes it all the same).
    """
    number = int(batch["payment_id"])
    if batch["state"] not in FIXED:
        raise RefusedError(
            f"第 {number} 批{WORDS[batch['state']]}，没有可出的单据",
            "先锁定：jiuzhu pay lock" if batch["state"] == "draft" else "用 jiuzhu pay list 看各批",
            code="not_locked",
        )
    if {VOUCHER, RETURNED} & set(kinds) and batch["state"] not in SENT:
        raise RefusedError(
            f"第 {number} 批还没有导出，没有记账凭证", "导出后再出：jiuzhu pay export", code="not_exported"
        )
    with store.writing(actor, command):
        figures_, checks = _figures(store, workspace, policy, batch, actor=actor, now=now, command=command)
        wanted = _papers(store, workspace, policy, figures_, checks, kinds, programmes, town, masked=masked)
        whole = (
            {ROSTER_MASKED if masked and kind == ROSTER else kind for kind in kinds} if not (programmes or town) else ()
        )
        replaced = {*KINDS, ROSTER_MASKED} if anew else whole
        return _write(
            store, workspace, batch, wanted, replaced, actor=actor, now=now, command=command, mend=mend or anew
        )


def _figures(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    batch: dict[str, Any],
    *,
    actor: str,
    now: datetime,
    command: str,
) -> tuple[Figures, list[Check]]:
    """The batch's figures, kept with its first paper, and that they agree; RefusedError when they do not."""
    number = int(batch["payment_id"])
    if not kept_sums(store, number, compute=False):
        sums = computed_sums(store, number).to_pylist()
        with store.transaction(actor=actor, command=command, now=now) as tx:
            keep_sums(tx, number, batch["control_sha256"], sums)
    found = figures(store, policy, batch, towns=workspace.towns)
    checks = checks_of(store, found)
    if len({(check.lines, check.amount_fen) for check in checks}) != 1:
        raise RefusedError(
            f"第 {number} 批逐笔、按乡镇、按项目相加对不上，不出单据",
            "运行 jiuzhu audit check 查清",
            code="sums_differ",
        )
    return found, checks


def checks_of(store: Store, found: Figures) -> list[Check]:
    """The batch summed up four ways: as declared when drafted, line by line, by town, by programme."""
    batch = found.batch
    ways = {
        "制单时的合计": (batch["lines"], batch["amount_fen"]),
        "逐笔相加": payments.whole_of(store, batch["payment_id"]),
    }
    by: dict[str, Key] = {"按乡镇相加": lambda cell: cell.town, "按项目相加": lambda cell: cell.programme}
    for way, key in by.items():
        parts = tallied(found.cells, key).values()
        ways[way] = (sum(part.lines for part in parts), sum(part.amount_fen for part in parts))
    return [Check(way, lines, fen) for way, (lines, fen) in ways.items()]


def _papers(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    found: Figures,
    checks: list[Check],
    kinds: Collection[str],
    programmes: Sequence[str],
    town: str,
    *,
    masked: bool,
) -> Iterator[Paper]:
    """The papers one after the other: a roster is read and written before the next."""
    batch = found.batch
    folder = workspace.internal / "pay" / str(batch["month"])
    stem = _stem(batch)
    whole = (int(batch["lines"]), int(batch["amount_fen"]))
    if SLIP in kinds:
        form = _slip(store, workspace, policy, found, checks)
        yield Paper(SLIP, folder / f"审批单_{stem}.xlsx", lambda path: write_printed(path, form), *whole)
    if SUMMARY in kinds:
        sheets = summary(workspace.bureau, found)
        yield Paper(SUMMARY, folder / f"发放汇总表_{stem}.xlsx", lambda path: write_xlsx(path, sheets), *whole)
    if VOUCHER in kinds:
        lines = voucher_lines(policy, found)
        yield from _voucher(
            VOUCHER, folder, "记账凭证", stem, lines, voucher_sheets(workspace.bureau, found, lines), whole
        )
    if RETURNED in kinds and (returned := returned_sources(store, policy, found)):
        lines = voucher_lines(policy, found, returned)
        sheets = voucher_sheets(workspace.bureau, found, lines, title="退回冲减记账凭证")
        count = sum(row["lines"] for row in came_back(store, batch["payment_id"]))
        fen = sum(one.amount_fen for one in returned)
        yield from _voucher(RETURNED, folder, "退回凭证", stem, lines, sheets, (count, fen))
    if ROSTER in kinds:
        kind, edition = (ROSTER_MASKED, "花名册（遮盖号码）") if masked else (ROSTER, "花名册")
        for one in rosters(store, batch["payment_id"], programmes=programmes, town=town, masked=masked):
            name = f"{found.name(one.programme)}_{one.town or '未注明乡镇'}"
            path = folder / f"{edition}_{stem}" / f"{_plain(edition, name)}.xlsx"
            yield Paper(
                kind, path, _roster_writer(workspace, policy, batch, one, masked), len(one.rows), one.amount_fen
            )


def _plain(edition: str, name: str) -> str:
    """The name of a roster's file: two places that are told apart by what a file's name cannot hold get a mark of their own."""
    plain = safe_name(f"{edition}_{name}")
    return plain if plain == f"{edition}_{name}" else f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _voucher(
    kind: str, folder: Path, name: str, stem: str, lines: list[Line], sheets: list[SheetSpec], counted: tuple[int, int]
) -> Iterator[Paper]:
    header, rows = voucher_csv(lines)
    yield Paper(kind, folder / f"{name}_{stem}.xlsx", lambda path: write_xlsx(path, sheets), *counted)
    yield Paper(kind, folder / f"{name}_{stem}.csv", lambda path: write_csv(path, header, rows), *counted)


def _roster_writer(
    workspace: Workspace, policy: Policy, batch: dict[str, Any], one: Roster, masked: bool
) -> Callable[[Path], str]:
    return lambda path: write_xlsx(path, roster_sheets(workspace.bureau, policy, batch, one, masked=masked), rapid=True)


def _slip(store: Store, workspace: Workspace, policy: Policy, found: Figures, checks: list[Check]) -> list[Printed]:
    batch, words = found.batch, {code: hold.name for code, hold in BY_CODE.items()}
    number = int(batch["payment_id"])
    held, cases = held_sums(store, number)
    groups = overrides.summary(store, number)
    # what was let through as a whole may be all of a month: then only cases agreed one by one are named
    rows = overrides.of_batch(store, number, single=sum(group["lines"] for group in groups) > LISTED)
    form = slip(
        workspace.bureau,
        found,
        checks=checks,
        held=[Held(words.get(one["code"], one["code"]), one["cases"], one["amount_fen"]) for one in held],
        held_cases=cases,
        overrides=overrides_told(groups, rows, words, batch),
        signatures=signatures_of(batch, given(store, number), _levels(policy, batch)),
        back_paid=back_paid(store, number),
    )
    return [form, *([overrides_list(found, rows, words)] if rows else [])]


def _filed(
    store: Store,
    workspace: Workspace,
    batch: dict[str, Any],
    made: Papers,
    known: Mapping[str, Mapping[str, Any]],
    gone: Sequence[str],
) -> tuple[Paper, str] | None:
    """Writes the filing list over all that stands on the record once the papers are; what of it is new to the record."""
    of_bank = {str(row["path"]): row for row in recorded_files(store, entity=f"payment:{batch['payment_id']}")}
    files = {name: row for name, row in (of_bank | dict(known)).items() if row["kind"] != FILING and name not in gone}
    files |= {paper["path"]: paper for paper in made.papers}
    text = filing_list(batch, moves(store, batch["payment_id"]), files.values())
    path = workspace.internal / "pay" / str(batch["month"]) / f"归档清单_{_stem(batch)}.json"
    name = workspace.relative(path)
    before = sha256_of(path) if path.exists() else ""
    digest = write_bytes(path, text)
    made.written += digest != before
    if before and name in known and before != known[name]["sha256"]:
        made.mended.append(name)
    made.papers.append(
        {"kind": FILING, "path": name, "lines": batch["lines"], "amount_fen": batch["amount_fen"], "sha256": digest}
    )
    if name in known and known[name]["sha256"] == digest:
        return None
    return Paper(FILING, path, lambda path: write_bytes(path, text), batch["lines"], batch["amount_fen"]), digest


def _stem(batch: Mapping[str, Any]) -> str:
    return f"{batch['month']}_第{batch['sequence']:02d}批"


def _levels(policy: Policy, batch: dict[str, Any]) -> list[str]:
    """Names of the levels that must approve; [] also when none reaches so far: then the approval itself says so."""
    try:
        return [level.name for level in needed(policy, batch["amount_fen"])]
    except RefusedError:
        return []


def _write(
    store: Store,
    workspace: Workspace,
    batch: dict[str, Any],
    wanted: Iterable[Paper],
    replaced: Collection[str],
    *,
    actor: str,
    now: datetime,
    command: str,
    mend: bool,
) -> Papers:
    """``replaced``: kinds of which nothing but what is made now may stand on the record (of a batch locked anew: all)."""
    entity = entity_of(batch["payment_id"])
    known = {str(row["path"]): row for row in recorded_files(store, entity=entity)}
    made = Papers(batch)
    fresh: list[tuple[Paper, str]] = []
    altered: list[str] = []
    failed: OutsideError | None = None
    for paper in wanted:
        name = workspace.relative(paper.path)
        recorded = str(known[name]["sha256"]) if name in known else ""
        try:
            digest, before, changed = write_unless_altered(paper.path, paper.write, recorded=recorded, mend=mend)
        except OutsideError as error:  # what has been written is noted all the same
            failed = error
            break
        if changed:
            (made.mended if mend else altered).append(name)
        if changed and not mend:
            continue
        if digest != recorded:
            fresh.append((paper, digest))
        made.papers.append(
            {"kind": paper.kind, "path": name, "lines": paper.lines, "amount_fen": paper.amount_fen, "sha256": digest}
        )
        made.written += digest != before
    standing = {paper["path"] for paper in made.papers} | set(altered)
    gone = [name for name, row in known.items() if row["kind"] in replaced and name not in standing and failed is None]
    if made.papers and (filed := _filed(store, workspace, batch, made, known, gone)):
        fresh.append(filed)
    if fresh or gone:
        with store.transaction(actor=actor, command=command, now=now) as tx:
            for paper, digest in fresh:
                record_file(
                    tx, workspace, paper.path, entity=entity, kind=paper.kind, sha256=digest, lines=paper.lines, amount_fen=paper.amount_fen
                )  # fmt: skip
            for kind in dict.fromkeys(paper.kind for paper, _ in fresh):  # one entry a kind: rosters may be hundreds
                of = sorted((paper.path.name, digest) for paper, digest in fresh if paper.kind == kind)
                text = "".join(f"{name}\t{digest}\n" for name, digest in of)
                detail = {"paper": kind, "files": len(of), "file": of[0][0]}
                tx.journal(entity, detail, digest=hashlib.sha256(text.encode()).hexdigest())
            for name in gone:
                forget_file(tx, name)
                tx.journal(entity, {"withdrawn": Path(name).name}, digest=str(known[name]["sha256"]))
    for name in gone:
        path = workspace.root / name
        if path.exists() and sha256_of(path) == known[name]["sha256"]:  # what somebody wrote into stays, for people
            path.unlink()
    if failed is not None:
        raise failed
    if altered:
        raise RefusedError(
            f"这些单据写出后被改动过，没有重写：{'、'.join(Path(name).name for name in altered)}",
            "查清是谁改的（签过字、填过意见的另存一份）；确认要按台账重写：jiuzhu pay papers --rewrite",
            code="altered_file",
        )
    return made
