"""The groups of a process, on a layer that fails at times."""

import pytest

from tasks.engine.news.subscription import Subscription


class Layer:
    """Knows the members of its groups; fails as often as it is told to, before or after."""

    def __init__(self) -> None:
        self.groups: set[str] = set()
        self.fail_before = self.fail_after = False

    async def new_channel(self) -> str:
        return "specific.one!two"

    async def group_add(self, group: str, channel: str) -> None:
        self._fail(self.fail_before)
        self.groups.add(group)
        self._fail(self.fail_after)

    async def group_discard(self, group: str, channel: str) -> None:
        self._fail(self.fail_before)
        self.groups.discard(group)

    def _fail(self, now: bool) -> None:
        if now:
            raise ConnectionError


async def test_a_group_is_left_though_leaving_failed_once() -> None:
    layer = Layer()
    subscription = Subscription(layer)  # type: ignore[arg-type]
    await subscription.follow({"a", "b"})
    layer.fail_before = True
    with pytest.raises(ConnectionError):
        await subscription.follow({"a"})
    layer.fail_before = False
    await subscription.follow({"a"})
    assert layer.groups == {"a"}


async def test_after_a_failure_groups_are_joined_again_and_others_left() -> None:
    layer = Layer()
    subscription = Subscription(layer)  # type: ignore[arg-type]
    await subscription.follow({"a", "b"})
    subscription.forget()
    layer.groups = {"b"}  # some memberships were lost, and some were not
    await subscription.follow({"a"})
    assert layer.groups == {"a"}


async def test_a_group_is_left_whose_joining_got_no_answer() -> None:
    layer = Layer()
    subscription = Subscription(layer)  # type: ignore[arg-type]
    layer.fail_after = True
    with pytest.raises(ConnectionError):
        await subscription.follow({"a"})
    layer.fail_after = False
    await subscription.follow(set())
    assert layer.groups == set()
