"""Submitting TaskSpecs with the commit of a transaction."""

from pathlib import Path
from typing import Unpack

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS

from tasks.handles.deferred import DeferredHandle
from tasks.specs.given import refuse_old_names
from tasks.specs.sending import send_on_commit
from tasks.specs.spec import TaskSpec
from tasks.specs.submit import Given, Spec, resolved

__all__ = [
    "asubmit_spec_reference_on_commit",
    "asubmit_taskspec_on_commit",
    "submit_spec_reference_on_commit",
    "submit_taskspec_on_commit",
]


def submit_taskspec_on_commit(
    spec: Spec, *, using: str = DEFAULT_DB_ALIAS, wait: bool = False, **given: Unpack[Given]
) -> DeferredHandle:
    """:func:`submit_taskspec` when the transaction of the database *using* commits.

    All that is wrong is said now, and what is given is taken as it is now. *wait* is refused.
    """
    return send_on_commit(resolved(spec, given), using, wait)


async def asubmit_taskspec_on_commit(
    spec: Spec, *, using: str = DEFAULT_DB_ALIAS, wait: bool = False, **given: Unpack[Given]
) -> DeferredHandle:
    """See :func:`submit_taskspec_on_commit`. In a transaction of the sync code that called this."""
    submit = sync_to_async(submit_taskspec_on_commit)
    return await submit(spec, using=using, wait=wait, **given)


def submit_spec_reference_on_commit(
    reference: str | Path,
    *,
    using: str = DEFAULT_DB_ALIAS,
    wait: bool = False,
    **given: Unpack[Given],
) -> DeferredHandle:
    """:func:`submit_taskspec_on_commit` of a spec by its path or its name."""
    refuse_old_names(given, Given.__annotations__)
    spec = TaskSpec.named(reference)
    return submit_taskspec_on_commit(spec, using=using, wait=wait, **given)


async def asubmit_spec_reference_on_commit(
    reference: str | Path,
    *,
    using: str = DEFAULT_DB_ALIAS,
    wait: bool = False,
    **given: Unpack[Given],
) -> DeferredHandle:
    """See :func:`submit_spec_reference_on_commit`."""
    submit = sync_to_async(submit_spec_reference_on_commit)
    return await submit(reference, using=using, wait=wait, **given)
