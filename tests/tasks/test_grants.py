"""Grants: what is in them, for how long, and that nobody else can make one."""

import re
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from tasks import grants
from tasks.exceptions import InvalidGrant, RunDoesNotExist
from tasks.handles import Handle, get_handle
from tasks.models import TaskRun
from tests.app.tasks import add

RUN = uuid4()


def stored() -> Handle:
    run = TaskRun.objects.create(task=add.module_path, enqueued_at=datetime.now(UTC))
    return get_handle(run.pk)


def test_a_grant_says_what_it_is_for() -> None:
    before = time.time()
    grant = grants.read(grants.make(RUN, "stream", 3, 60.0))
    assert (grant.run_id, grant.action, grant.series) == (RUN, "stream", 3)
    assert before + 59 < grant.expires <= time.time() + 61
    assert not grant.expired


def test_a_grant_fits_a_url_a_header_and_a_subprotocol() -> None:
    """What needs no quoting in a query, and is a token (RFC 9110, section 5.6.2)."""
    for _ in range(200):
        text = grants.make(uuid4(), "stream", 0, None)
        assert re.fullmatch(r"hwg_[A-Za-z0-9_.-]+", text)
        assert len(text) < 200


def test_one_letter_changed_is_no_grant() -> None:
    text = grants.make(RUN, "stream", 0, None)
    for place in range(len(text)):
        other = "A" if text[place] != "A" else "B"
        with pytest.raises(InvalidGrant):
            grants.read(text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize("text", ["", "hwg_", "hwg_.", "hwg_a.b", "a", "\x00", "☃", "hwg_" * 9000])
def test_anything_else_is_no_grant(text: str) -> None:
    with pytest.raises(InvalidGrant):
        grants.read(text)


def test_another_key_makes_no_grant_of_ours(settings: Any) -> None:
    text = grants.make(RUN, "stream", 0, None)
    settings.SECRET_KEY = "another"
    with pytest.raises(InvalidGrant):
        grants.read(text)


def test_an_old_key_holds_as_a_fallback(settings: Any) -> None:
    text = grants.make(RUN, "stream", 0, None)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert grants.read(text).run_id == RUN


def test_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    grant = grants.read(grants.make(RUN, "stream", 0, 10.0))
    now = time.time()
    monkeypatch.setattr(grants, "time", lambda: now + 9)
    assert not grant.expired
    monkeypatch.setattr(grants, "time", lambda: now + 11)
    assert grant.expired


@pytest.mark.parametrize("lifetime", [0, -1, 61.0, float("inf"), float("nan")])
def test_a_lifetime_has_bounds(settings: Any, lifetime: float) -> None:
    settings.HEADWAY = {"GRANT_MAX": 60}
    with pytest.raises(ValueError, match="60 seconds"):
        grants.make(RUN, "stream", 0, lifetime)


def test_the_default_lifetime_has_them_too(settings: Any) -> None:
    settings.HEADWAY = {"GRANT": 500, "GRANT_MAX": 60}
    assert grants.read(grants.make(RUN, "view", 0, None)).expires < time.time() + 61
    settings.HEADWAY = {"GRANT": 30}
    assert grants.read(grants.make(RUN, "view", 0, None)).expires < time.time() + 31


@pytest.mark.parametrize("action", ["enqueue", "kill", "", "STREAM"])
def test_not_everything_can_be_granted(action: str) -> None:
    with pytest.raises(ValueError, match="view, stream, stop"):
        grants.make(RUN, action, 0, None)


@pytest.mark.django_db
def test_revoking_ends_what_was_made_before() -> None:
    handle = stored()
    before = grants.read(handle.grant())
    handle.revoke_grants()
    after = grants.read(handle.grant("stop", lifetime=5))
    assert (before.series, after.series) == (0, 1)
    assert after.action == "stop"
    assert grants.read(get_handle(handle.id).grant()).series == 1
    handle.revoke_grants()
    handle.refresh()
    assert handle.grants_revoked == 2


@pytest.mark.django_db
def test_a_run_that_is_gone_has_no_grants() -> None:
    handle = stored()
    TaskRun.objects.all().delete()
    with pytest.raises(RunDoesNotExist):
        handle.revoke_grants()


async def test_revoking_from_a_coroutine(transactional_db: None) -> None:
    handle = await sync_to_async(stored)()
    await handle.arevoke_grants()
    assert grants.read(handle.grant()).series == 1
