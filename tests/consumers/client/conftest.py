"""The two clients."""

import random

import pytest

from .madeup import (
    Watch,
    asynchronous,
    synchronous,
)


@pytest.fixture(params=[asynchronous, synchronous])
def watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)
    kind: Watch = request.param
    return kind
