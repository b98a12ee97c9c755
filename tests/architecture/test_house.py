"""This repository keeps the rules."""

from pathlib import Path

import pytest

from .rules import RULES, Rule

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_kept(rule: Rule) -> None:
    assert list(rule(ROOT)) == []
