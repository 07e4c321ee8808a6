"""What goes with the bank files: manifest, cover sheet (汇总单), and the list of cases held back (拦下名单)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.money import capitals, yuan
from jiuzhu_cli.ledger.files import record_file, recorded_files
from jiuzhu_cli.ledger.store import Store, utc_stamp
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.holds import BY_CODE
from jiuzhu_cli.payment.values import beijing
from jiuzhu_cli.tabular.files import write_bytes
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from jiuzhu_cli.tabular.writecsv import write_csv

if TYPE_CHECKING:
    from jiuzhu_cli.payment.plan import Plan
    from jiuzhu_cli.policy.load import Policy

PRINTED = 16  # digits of a digest that fit on paper; manifest.json has them all


def write_manifest(batch: dict[str, Any], entries: list[dict[str, Any]], path: Path) -> str:
    keys = (
        "month", "sequence", "kind", "lines", "amount_fen", "control_sha256", "drafted_by", "approved_by", "exported_at",
    )  # fmt: skip
    body = {key: batch[key] for key in keys}
    text = json.dumps({"batch": batch["payment_id"], **body, "files": entries}, ensure_ascii=False, indent=1) + "\n"
    return write_bytes(path, text.encode())


def write_cover(
    policy: Policy,
    batch: dict[str, Any],
    entries: list[dict[str, Any]],
    sums: Sequence[Mapping[str, Any]],
    path: Path,
) -> str:
    """汇总单: per file and per programme, count, amount and amount in capitals. ``sums``: ``programme, bank, lines, amount_fen`` in order."""
    rows = [
        (
            policy.banks[entry["bank"]].name,
            Path(entry["path"]).name,
            entry["lines"],
            entry["amount_fen"],
            capitals(entry["amount_fen"]),
            entry["sha256"][:PRINTED],
        )
        for entry in entries
    ]
    rows.append(("合计", "", batch["lines"], batch["amount_fen"], capitals(batch["amount_fen"]), ""))
    programmes = [
        (policy.programmes[row["programme"]].name if row["programme"] in policy.programmes else row["programme"],
         policy.banks[row["bank"]].name, row["lines"], row["amount_fen"])
        for row in sums
    ]  # fmt: skip
    programmes.append(("合计", "", batch["lines"], batch["amount_fen"]))
    head = [
        ColumnSpec("银行（格式）", 30), ColumnSpec("文件", 30), ColumnSpec("笔数", 10, "count"), ColumnSpec("金额（元）", 16, "amount"),
        ColumnSpec("大写金额", 40, wrap=True), ColumnSpec("文件指纹", 20),
    ]  # fmt: skip
    notes = [
        f"制单：{batch['drafted_by']}　锁定：{batch['locked_by']}　审批：{batch['approved_by']}　导出时间：{beijing(batch['exported_at']):%Y-%m-%d %H:%M}",
        f"控制摘要：{batch['control_sha256'][:PRINTED]}　文件指纹和控制摘要是 SHA-256 的前 {PRINTED} 位，全文见 manifest.json",
    ]
    second = [
        ColumnSpec("救助项目", 24),
        ColumnSpec("银行（格式）", 30),
        ColumnSpec("笔数", 10, "count"),
        ColumnSpec("金额（元）", 16, "amount"),
    ]
    title = f"{batch['month']} 救助资金发放汇总单（第 {batch['payment_id']} 批，本月第 {batch['sequence']} 次）"
    return write_xlsx(
        path,
        [
            SheetSpec(name="汇总", columns=head, rows=rows, title=title, notes=notes, autofilter=False),
            SheetSpec(name="按项目", columns=second, rows=programmes, title=title, autofilter=False),
        ],
    )


def write_holds(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    plan: Plan,
    batch: dict[str, Any] | None,
    *,
    actor: str,
    now: datetime,
) -> list[str]:
    """The cases held back, one row a case with all its reasons, as workbook and CSV in ``out/internal/pay``; returns the paths,
    [] when nothing is held."""
    if not plan.held:
        return []
    cases: dict[int, list[dict[str, Any]]] = {}
    for row in plan.holds.to_pylist():
        cases.setdefault(row["n"], []).append(row)
    keys = ("town", "recipient_name", "recipient_id_no", "programme", "amount_fen", "n")
    rows = []
    for reasons in sorted(cases.values(), key=lambda found: tuple(str(found[0][key]) for key in keys)):
        case = reasons[0]
        programme = case["programme"]
        title = policy.programmes[programme].name if programme in policy.programmes else programme
        rows.append((
            title, case["town"], case["recipient_name"], case["recipient_id_no"], case["amount_fen"], "、".join(BY_CODE[r["code"]].name for r in reasons), "；".join(r["reason"] for r in reasons),
            "；".join(dict.fromkeys(BY_CODE[r["code"]].todo for r in reasons)), ",".join(r["code"] for r in reasons),
        ))  # fmt: skip
    head = [
        ColumnSpec("救助项目", 20), ColumnSpec("乡镇", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 22), ColumnSpec("金额（元）", 12, "amount"),
        ColumnSpec("拦下原因", 16), ColumnSpec("说明", 44, wrap=True), ColumnSpec("怎么办", 44, wrap=True),
    ]  # fmt: skip
    stem = f"拦下名单_{plan.month}_第{batch['sequence']:02d}批" if batch else f"拦下名单_{plan.month}"
    folder = workspace.internal / "pay" / plan.month
    book, text = folder / f"{stem}.xlsx", folder / f"{stem}.csv"
    total = sum(row[4] or 0 for row in rows)
    shown = [*(row[:-1] for row in rows), ("合计", "", "", "", total, f"{len(rows)} 户（件）", "", "")]
    sheet = SheetSpec(name="拦下名单", columns=head, rows=shown, title=f"{plan.month} 拦下的 {len(rows)} 户（件）")
    plain = [[*row[:4], yuan(row[4]), *row[5:]] for row in rows]
    digests = [
        (book, write_xlsx(book, [sheet])),
        (text, write_csv(text, [*(column.header for column in head), "代码"], plain)),
    ]
    entity = f"payment:{batch['payment_id']}" if batch else f"pay:{plan.month}"
    known = {str(row["path"]): str(row["sha256"]) for row in recorded_files(store, entity=entity)}
    if any(known.get(workspace.relative(path)) != digest for path, digest in digests):
        with store.transaction(actor=actor, command="pay draft", now=now) as tx:
            for path, digest in digests:
                record_file(
                    tx, workspace, path, entity=entity, kind="holds", sha256=digest, lines=len(rows), amount_fen=total
                )
            tx.journal(entity, {"holds": len(rows), "at": utc_stamp(now)}, digest=digests[0][1])
    return [workspace.relative(path) for path, _ in digests]
