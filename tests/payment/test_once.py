"""Whatever commands are run in whatever order: an obligation never has two live lines, and nobody gets more than is owed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jiuzhu_cli.core.errors import JiuzhuError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import MONTH, Desk, person
from tests.support import make_workspace

POLICY = load_policy(region="421002")
PEOPLE = 4


class Month(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        workspace = make_workspace(Path(self.folder.name) / "ws")
        self.store = workspace.open_store()
        self.desk = Desk(workspace, self.store, POLICY)
        self.rows = [person(i, bank_name=["农信社", "邮储银行"][i % 2]) for i in range(1, PEOPLE + 1)]
        self.roll = self.desk.roll(self.rows)
        self.answered: list[Path] = []

    def teardown(self) -> None:
        problems = check_ledger(self.store, self.desk.workspace).problems
        assert not problems, problems
        self.store.close()
        self.folder.cleanup()

    def quietly(self, action: Any) -> None:
        """A refusal is an answer; anything else is a fault."""
        try:
            action()
        except JiuzhuError as error:
            assert error.exit_code in (2, 3, 4), error.message

    @rule(override=st.booleans())
    def draft(self, override: bool) -> None:
        self.quietly(lambda: self.desk.draft(override="理由" if override else None))

    @rule()
    def lock(self) -> None:
        self.quietly(self.desk.lock)

    @rule(actor=st.sampled_from(["李审批", "张经办"]))
    def approve(self, actor: str) -> None:
        self.quietly(lambda: self.desk.approve(actor=actor))

    @rule()
    def export(self) -> None:
        self.quietly(self.desk.export)

    @rule()
    def cancel(self) -> None:
        self.quietly(self.desk.cancel)

    @rule(failing=st.sets(st.integers(1, PEOPLE)), number=st.integers(1, 3))
    def answer(self, failing: set[int], number: int) -> None:
        exported = [r[0] for r in self.store.query("SELECT payment_id FROM payment_batch WHERE state = 'exported'")]
        if number in exported:
            for path in self.desk.answers(
                number, dict.fromkeys(failing, "系统超时"), name=f"{number}-{len(self.answered)}"
            ):
                self.answered.append(path)
                self.quietly(lambda path=path: self.desk.read(path))

    @rule(index=st.integers(0, 5))
    def answer_again(self, index: int) -> None:
        if index < len(self.answered):
            self.quietly(lambda: self.desk.read(self.answered[index]))

    @rule(
        serial=st.integers(1, PEOPLE),
        amount=st.sampled_from([10_000, 20_000]),
        account=st.sampled_from(["", "6217000000000099"]),
    )
    def correct_the_roll(self, serial: int, amount: int, account: str) -> None:
        self.rows[serial - 1] = self.rows[serial - 1] | {"amount_fen": amount, "account_no": account}
        self.roll = self.desk.supersede(self.roll, self.rows)

    @rule()
    def next_step(self) -> None:
        """The way a month usually goes, so that long histories reach the far states."""
        for step in (self.desk.draft, self.desk.lock, self.desk.approve, self.desk.export):
            self.quietly(step)

    @invariant()
    def paid_once(self) -> None:
        live = self.store.query(
            "SELECT o.recipient_id_no, COUNT(*) FROM payment_line l JOIN obligation o USING (obligation_id)"
            " WHERE l.state IN ('due','sent','paid') AND o.month = ? GROUP BY o.programme, o.recipient_id_no HAVING COUNT(*) > 1",
            (MONTH,),
        )
        assert not live


Month.TestCase.settings = settings(
    max_examples=8, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
TestMonth = Month.TestCase
