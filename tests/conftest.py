"""What holds for all tests."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from jiuzhu_cli.ledger.store import Store

settings.register_profile("untimed", deadline=None)  # speed is measured by ``make bench``, never asserted
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="module")
def _garbage_is_collected() -> Iterator[None]:
    """A command run within the tests' process turns the collector off or frozen, as for a process that ends soon: open files and memory of
    thousands of tests would be kept."""
    threshold = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*threshold)
    gc.collect()


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_read_by_arrow_inside_a_transaction() -> Iterator[None]:
    """The driver has an SQLite of its own: when it closes the file, the locks that the transaction holds on it are gone (POSIX)."""
    arrow = Store.arrow

    def guarded(self: Store, sql: str) -> Any:
        assert not self.connection.in_transaction, f"read by ADBC inside a transaction: {sql[:100]}"
        return arrow(self, sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "arrow", guarded)
        yield
