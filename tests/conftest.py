"""What holds for all tests."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

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
