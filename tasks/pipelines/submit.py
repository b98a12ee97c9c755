"""Submitting pipelines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async

from tasks.handles import Handle
from tasks.pipelines.pipeline import Pipeline
from tasks.pipelines.plan import planned
from tasks.pipelines.run import pipeline as pipeline_task
from tasks.specs.given import MISSING, refuse_old_names
from tasks.specs.resolving import Resolved
from tasks.specs.sending import await_end, send, wait_for_end

__all__ = [
    "asubmit_pipeline",
    "asubmit_pipeline_reference",
    "submit_pipeline",
    "submit_pipeline_reference",
]


def submit_pipeline(
    pipeline: Pipeline | Mapping[str, Any],
    *,
    payload: Any = MISSING,
    wait: bool = False,
    timeout: float | None = None,
    **old: Any,
) -> Handle:
    """Store a run of *pipeline*, or of a document of one, and give its handle.

    All that can be wrong before a stage has run is said here: :class:`InvalidSpec` with the
    path in the document, :class:`InvalidArguments`, :class:`UnknownTask`. *wait* as in
    :func:`tasks.specs.submit_taskspec`.
    """
    refuse_old_names(old)
    handle = send(resolved(pipeline, payload))
    return wait_for_end(handle, timeout) if wait else handle


async def asubmit_pipeline(
    pipeline: Pipeline | Mapping[str, Any],
    *,
    payload: Any = MISSING,
    wait: bool = False,
    timeout: float | None = None,
    **old: Any,
) -> Handle:
    """See :func:`submit_pipeline`."""
    handle = await sync_to_async(submit_pipeline)(pipeline, payload=payload, **old)
    return await await_end(handle, timeout) if wait else handle


def submit_pipeline_reference(
    reference: str | Path,
    *,
    payload: Any = MISSING,
    wait: bool = False,
    timeout: float | None = None,
    **old: Any,
) -> Handle:
    """:func:`submit_pipeline` of one by its path or its name; :class:`SpecNotFound`."""
    refuse_old_names(old)
    pipeline = Pipeline.named(reference)
    return submit_pipeline(pipeline, payload=payload, wait=wait, timeout=timeout)


async def asubmit_pipeline_reference(
    reference: str | Path,
    *,
    payload: Any = MISSING,
    wait: bool = False,
    timeout: float | None = None,
    **old: Any,
) -> Handle:
    """See :func:`submit_pipeline_reference`."""
    handle = await sync_to_async(submit_pipeline_reference)(reference, payload=payload, **old)
    return await await_end(handle, timeout) if wait else handle


def resolved(pipeline: Pipeline | Mapping[str, Any], payload: Any) -> Resolved:
    """What *pipeline* enqueues."""
    made = pipeline if isinstance(pipeline, Pipeline) else Pipeline.of(pipeline)
    document = made.document
    names = ("queue_name", "priority")
    options: dict[str, Any] = {name: document[name] for name in names if name in document}
    metadata = {**document.get("metadata", {}), "pipeline": made.name}
    plan = planned(made, payload)
    return Resolved(pipeline_task, [plan], {}, {**options, "metadata": metadata})
