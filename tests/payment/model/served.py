"""What the server of ``apart`` loads once: the libraries that a command loads when it needs them, and the policy of the walks, read."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb  # noqa: F401
import numpy.ma  # noqa: F401
import pyarrow.compute
import pyarrow.dataset  # noqa: F401
import sqlglot.dialects.duckdb  # noqa: F401
import xlsxwriter.workbook  # noqa: F401

import jiuzhu_cli.payment.basis
import jiuzhu_cli.payment.export
import jiuzhu_cli.payment.returns
import jiuzhu_cli.payment.settlement
import jiuzhu_cli.policy.formula
import jiuzhu_cli.tabular.rapid
import tests.payment.model.apart  # noqa: F401
from jiuzhu_cli.core.lean import without
from jiuzhu_cli.ledger.store import arrow_driver
from jiuzhu_cli.policy.parts import parts_of
from tests.payment.conftest import NOW
from tests.payment.model.desk import make_template, policy_of

arrow_driver()
without("pandas", "polars")  # as the commands do
with tempfile.TemporaryDirectory() as folder:
    POLICY = policy_of(make_template(Path(folder) / "template"))
for name in parts_of(type(POLICY)):
    getattr(POLICY, name)
for programme in POLICY.programmes.values():
    jiuzhu_cli.payment.basis.parameters_of(POLICY, programme, NOW.date())
