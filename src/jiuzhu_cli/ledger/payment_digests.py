"""What is frozen of a batch: a digest a line, the control digest over all of them, and the sums three ways (town, programme, bank).

A line's digest is over what it pays to whom and why: the immutable keys of its obligation (programme, recipient, item, purpose, cause),
payee, account, bank, amounts, roll row, review case, parts, and the basis, which holds the month owed for and the policy. Nothing of it
is told anew by a later try of the same obligation, so it can be computed again for ever. Lines drafted by a version without line digests
(``digest`` '') keep the older control digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.ledger.store import Store, Transaction

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# in this order, as text, between separators that no cleaned text holds
SEALED = (
    "line_no", "transfer_no", "programme", "recipient_id_no", "item", "purpose", "cause", "bank", "account_no", "payee_name", "payee_id_no",
    "bank_name", "bank_code", "amount_fen", "set_off_fen", "roll_row_id", "case_id", "parts",
)  # fmt: skip
_SQL = f"sha256(concat_ws(chr(31), 'line v1', {', '.join(SEALED)}, basis_sha))"
_OLD = ("line_no", "programme", "month", "recipient_id_no", "item", "bank", "account_no", "payee_name", "amount_fen")
MANY = 50_000  # lines that are read in two halves at once
AXES = ("town", "programme", "bank")


def add_digests(connection: duckdb.DuckDBPyConnection, table: str) -> pa.Table:
    """``table`` of ``connection`` (columns ``SEALED`` and ``basis_sha``, none NULL) with ``digest``, by ``line_no``, without ``basis_sha``."""
    return connection.sql(
        f"SELECT * EXCLUDE (basis_sha), {_SQL} AS digest FROM {table} ORDER BY line_no"
    ).to_arrow_table()


def basis_digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def sealed_lines(store: Store, payment_id: int, *, more: Sequence[str] = ()) -> pa.Table:
    """``SEALED``, ``line_id, digest, basis_id, month, town`` of a batch's lines, and ``more`` columns of their obligations, by ``line_no``."""
    of_line = {"line_no", "transfer_no", "bank", "account_no", "payee_name", "payee_id_no", "bank_name", "bank_code", "amount_fen", "set_off_fen",
               "roll_row_id", "case_id", "parts"}  # fmt: skip
    columns = ", ".join(
        [f"{'l' if name in of_line else 'o'}.{name}" for name in SEALED] + [f"o.{name}" for name in more]
    )
    return of_batch(
        store,
        payment_id,
        f"SELECT {columns}, l.line_id, l.digest, COALESCE(l.basis_id, 0) AS basis_id, o.month, o.town FROM payment_line l JOIN obligation o"
        " USING (obligation_id) WHERE {lines} ORDER BY l.line_no",
    )


def of_batch(store: Store, payment_id: int, sql: str) -> pa.Table:
    """The answer to ``sql``, where ``{lines}`` says which of ``payment_line l`` are meant: the batch's, many of them in two halves read at once."""
    import pyarrow as pa

    last = store.query("SELECT COALESCE(MAX(line_no), 0) FROM payment_line WHERE payment_id = ?", (payment_id,))[0][0]
    lines = f"l.payment_id = {int(payment_id)}"
    if last < MANY:
        return store.arrow(sql.format(lines=lines))
    halves = (f"{lines} AND l.line_no <= {last // 2}", f"{lines} AND l.line_no > {last // 2}")
    return pa.concat_tables(store.arrows([sql.format(lines=half) for half in halves]))


def bases_of(store: Store, lines: pa.Table) -> dict[int, str]:
    """The contents of the bases that ``sealed_lines`` rest on, by number; lines of before bases have 0, which is none."""
    numbers = ", ".join(map(str, lines["basis_id"].unique().to_pylist()))
    found = store.arrow(f"SELECT basis_id, content FROM payment_basis WHERE basis_id IN ({numbers})")
    return dict(zip(found["basis_id"].to_pylist(), found["content"].to_pylist(), strict=True))


def computed_digests(store: Store, lines: pa.Table) -> pa.Table:
    """``line_id, line_no, stored, digest`` of ``sealed_lines``, computed anew; each basis is hashed once."""
    import duckdb
    import pyarrow as pa

    known = bases_of(store, lines)
    numbers = lines["basis_id"].unique().to_pylist()
    with duckdb.connect(":memory:") as connection:
        connection.register("sealed", lines)
        bases = pa.table({
            "basis_id": pa.array(numbers, pa.int64()),
            "basis_sha": pa.array([basis_digest(known.get(number, "")) for number in numbers], pa.string()),
        })  # fmt: skip
        connection.register("bases", bases)
        return connection.sql(
            f"SELECT line_id, line_no, digest AS stored, {_SQL} AS digest FROM sealed JOIN bases USING (basis_id) ORDER BY line_no"
        ).to_arrow_table()


def control_of(batch: dict[str, Any], digests: pa.ChunkedArray) -> str:
    """The control digest over line digests (64 characters each) in the order of their numbers, with the batch's number, month and count."""
    control = hashlib.sha256(f"batch v1\t{batch['payment_id']}\t{batch['month']}\t{len(digests)}\n".encode())
    for chunk in digests.chunks:
        texts = chunk.buffers()[2]
        if texts is not None and len(chunk):
            first = chunk.offset * 64
            control.update(memoryview(texts)[first : first + len(chunk) * 64])
    return control.hexdigest()


def old_control(lines: pa.Table) -> str:
    """The control digest as versions before line digests computed it: tab-separated columns ``_OLD``, a line a line."""
    control = hashlib.sha256()
    for piece in lines.select(_OLD).to_batches(max_chunksize=100_000):
        texts = [[str(value) for value in column.to_pylist()] for column in piece.columns]
        control.update("".join("\t".join(row) + "\n" for row in zip(*texts, strict=True)).encode())
    return control.hexdigest()


def control_holds(store: Store, batch: dict[str, Any], lines: pa.Table) -> bool:
    """Whether the lines on record (``sealed_lines``) are those that were locked: each line's digest is its own, and the control digest theirs."""
    import pyarrow.compute as pc

    if lines.num_rows != batch["lines"]:
        return False
    if not pc.max(pc.binary_length(lines["digest"])).as_py():  # no line has one
        return old_control(lines) == batch["control_sha256"]
    found = computed_digests(store, lines)
    return (
        bool(found["digest"].equals(found["stored"])) and control_of(batch, found["digest"]) == batch["control_sha256"]
    )


def seal(tx: Transaction, payment_id: int) -> None:
    """Puts the staged digests (``staging.line_digest``: ``line_id, digest``) on the lines of a draft that have none yet."""
    tx.execute(
        "UPDATE payment_line SET digest = s.digest FROM staging.line_digest s WHERE s.line_id = payment_line.line_id AND payment_line.payment_id = ?",
        (payment_id,),
    )


# -- sums ------------------------------------------------------------------------------------------------------


def declare(tx: Transaction, payment_id: int) -> None:
    """Writes the staged sums of a draft (``staging.plan_total``: ``axis, name, lines, amount_fen``) in place of those before."""
    tx.execute("DELETE FROM payment_total WHERE payment_id = ?", (payment_id,))
    tx.execute(
        "INSERT INTO payment_total SELECT ?, axis, name, lines, amount_fen FROM staging.plan_total", (payment_id,)
    )


def computed_totals(store: Store, lines: pa.Table) -> dict[tuple[str, str], tuple[int, int]]:
    """Lines and 分 of ``sealed_lines`` by ``(axis, name)``.

    The town is the one of the drafting, which the basis keeps: a later try of the same obligation may stand in another.
    """
    groups = lines.select(["basis_id", "town", "programme", "bank", "amount_fen"]).group_by(
        ["basis_id", "town", "programme", "bank"]
    )
    towns = {number: _town(text) for number, text in bases_of(store, lines).items()}
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one in groups.aggregate([("amount_fen", "sum"), ([], "count_all")]).to_pylist():
        one["town"] = towns.get(one["basis_id"], one["town"])
        for axis in AXES:
            count, fen = found.get((axis, one[axis]), (0, 0))
            found[axis, one[axis]] = count + one["count_all"], fen + one["amount_fen_sum"]
    return found


def _town(basis: str) -> str:
    """'' of a basis that names none, or that somebody has made unreadable: the sums then differ."""
    try:
        return str(json.loads(basis)["town"] or "")
    except (ValueError, KeyError, TypeError):
        return ""


def sums_differ(store: Store, batch: dict[str, Any], lines: pa.Table) -> str:
    """Where what was declared and what the lines (``sealed_lines``) come to do not agree: in all, or by town, programme or bank; '' when they do.

    The three ways must also agree with each other. A batch drafted before sums were declared is compared in all only.
    """
    number = batch["payment_id"]
    computed = computed_totals(store, lines)
    declared = {
        (row[0], row[1]): (row[2], row[3])
        for row in store.query(
            "SELECT axis, name, lines, amount_fen FROM payment_total WHERE payment_id = ?", (number,)
        )
    }
    whole = (batch["lines"], batch["amount_fen"])
    for axis in AXES:
        for sums, what in ((computed, "明细"), (declared, "制单时的合计")):
            found = [value for (one, _), value in sums.items() if one == axis]
            if (sums is computed or declared) and (sum(n for n, _ in found), sum(fen for _, fen in found)) != whole:
                return f"{what}按{_AXIS_WORDS[axis]}加起来与批次的笔数、金额不符"
    if declared and declared != computed:
        axis, name = sorted(set(declared.items()) ^ set(computed.items()))[0][0]
        return f"{_AXIS_WORDS[axis]}“{name}”的笔数或金额与制单时不符"
    return ""


_AXIS_WORDS = {"town": "乡镇", "programme": "项目", "bank": "银行"}


def written_differs(batch: dict[str, Any], files: Sequence[dict[str, Any]], declared: Sequence[dict[str, Any]]) -> str:
    """Where the bank files (``bank, lines, amount_fen`` as read back) do not come to the batch, in all and by bank; '' when they do.

    ``declared``: ``bank, lines, amount_fen`` of the record, ``lines`` counting transfers.
    """

    def by_bank(rows: Sequence[dict[str, Any]]) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for row in rows:
            count, fen = found.get(row["bank"], (0, 0))
            found[row["bank"]] = count + row["lines"], fen + row["amount_fen"]
        return found

    written, wanted = by_bank(files), by_bank(declared)
    if sum(fen for _, fen in written.values()) != batch["amount_fen"]:
        return "写出的银行文件金额合计与批次不符"
    return next(
        (
            f"写给“{bank}”的笔数或金额与台账不符"
            for bank in sorted(wanted | written)
            if written.get(bank) != wanted.get(bank)
        ),
        "",
    )
