"""Submitting pipelines with the commit of a transaction."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS

from tasks.handles.deferred import DeferredHandle
from tasks.pipelines.pipeline import Pipeline
from tasks.pipelines.submit import resolved
from tasks.specs.given import MISSING, refuse_old_names
from tasks.specs.sending import send_on_commit

__all__ = [
    "asubmit_pipeline_on_commit",
    "asubmit_pipeline_reference_on_commit",
    "submit_pipeline_on_commit",
    "submit_pipeline_reference_on_commit",
]


def submit_pipeline_on_commit(
    pipeline: Pipeline | Mapping[str, Any],
    *,
    payload: Any = MISSING,
    using: str = DEFAULT_DB_ALIAS,
    wait: bool = False,
    **old: Any,
) -> DeferredHandle:
    """:func:`submit_pipeline` when the transaction of the database *using* commits.

    All that :func:`submit_pipeline` says is said now. *wait* is refused.
    """
    refuse_old_names(old)
    return send_on_commit(resolved(pipeline, payload), using, wait)


async def asubmit_pipeline_on_commit(
    pipeline: Pipeline | Mapping[str, Any], **given: Any
) -> DeferredHandle:
    """See :func:`submit_pipeline_on_commit`."""
    return await sync_to_async(submit_pipeline_on_commit)(pipeline, **given)


def submit_pipeline_reference_on_commit(
    reference: str | Path,
    *,
    payload: Any = MISSING,
    using: str = DEFAULT_DB_ALIAS,
    wait: bool = False,
    **old: Any,
) -> DeferredHandle:
    """:func:`submit_pipeline_on_commit` of one by its path or its name."""
    refuse_old_names(old)
    pipeline = Pipeline.named(reference)
    return submit_pipeline_on_commit(pipeline, payload=payload, using=using, wait=wait)


async def asubmit_pipeline_reference_on_commit(
    reference: str | Path, **given: Any
) -> DeferredHandle:
    """See :func:`submit_pipeline_reference_on_commit`."""
    return await sync_to_async(submit_pipeline_reference_on_commit)(reference, **given)
