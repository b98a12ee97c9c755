"""The process's limits, new for each test."""

from collections.abc import Iterator

import pytest

from consumers.access.limits import Limits, get_limits


@pytest.fixture
def limits() -> Iterator[Limits]:
    get_limits.cache_clear()
    yield get_limits()
    get_limits.cache_clear()
