"""What the rules of ``HEADWAY["RETENTION"]`` mean."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.conf import problems
from tasks.settings import retention
from tasks.settings.retention import Rule, choose, rules
from tasks.states import TERMINAL

STATUSES = sorted(TERMINAL)
QUEUES = ["default", "mail"]

some_rules = st.lists(
    st.builds(
        Rule,
        queue=st.none() | st.sampled_from(QUEUES),
        status=st.none() | st.sampled_from(STATUSES),
        days=st.none() | st.integers(1, 9),
        runs=st.none() | st.integers(0, 9),
    ),
    unique_by=lambda rule: (rule.queue, rule.status),
)


@given(some_rules, st.randoms(use_true_random=False))
def test_the_most_specific_rule_counts_alone(among: list[Rule], random: Any) -> None:
    by_scope = {(rule.queue, rule.status): rule for rule in among}
    random.shuffle(among)
    for queue in (*QUEUES, "other"):
        for status in STATUSES:
            scopes = [(queue, status), (queue, None), (None, status), (None, None)]
            first = next((by_scope[scope] for scope in scopes if scope in by_scope), None)
            if first is not None and first.days is None and first.runs is None:
                first = None
            assert choose(among, queue, status) == first


@pytest.mark.parametrize(
    "value",
    [
        7,
        {"days": 7},
        [{"day": 7}],
        [{"days": 0}],
        [{"days": True}],
        [{"days": "7"}],
        [{"runs": -1}],
        [{"runs": 1.5}],
        [{"status": "RUNNING", "days": 1}],
        [{"queue": "", "days": 1}],
        [{"days": 1}, {"runs": 1}],
    ],
)
def test_a_setting_that_makes_no_rules_is_named(value: object) -> None:
    (problem,) = problems({"RETENTION": value})
    assert problem.startswith("HEADWAY['RETENTION'] must be a list of dicts with the keys queue")


@pytest.mark.parametrize("value", [None, [], retention.DEFAULT, [{"queue": "mail"}]])
def test_a_setting_that_makes_rules(value: Any) -> None:
    assert problems({"RETENTION": value}) == []
    assert len(rules(value)) == len(value or [])
