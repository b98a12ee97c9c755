"""Submitting TaskSpecs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict, Unpack

from asgiref.sync import sync_to_async

from tasks.handles import Handle
from tasks.specs.given import refuse_old_names
from tasks.specs.resolving import Resolved, resolve
from tasks.specs.sending import await_end, send, wait_for_end
from tasks.specs.spec import TaskSpec

__all__ = [
    "Given",
    "asubmit_spec_reference",
    "asubmit_taskspec",
    "submit_spec_reference",
    "submit_taskspec",
]

Spec = TaskSpec | Mapping[str, Any]


class Given(TypedDict, total=False):
    """What whoever submits a spec may give it."""

    #: A function's argument ``payload``; a command's standard input, as JSON.
    payload: Any
    #: By the names the spec declares.
    spec_args: Mapping[str, Any]
    #: A command's standard input.
    stdin_text: str


def submit_taskspec(
    spec: Spec, *, wait: bool = False, timeout: float | None = None, **given: Unpack[Given]
) -> Handle:
    """Store a run of *spec*, a :class:`TaskSpec` or a document, and give its handle.

    All that is wrong is said here: :class:`InvalidSpec` with the path in the document,
    :class:`InvalidArguments`, :class:`InvalidValue`. What is given is taken as it is now. With
    *wait* the run has ended when this returns; ``TimeoutError`` after *timeout* seconds.
    """
    handle = send(resolved(spec, given))
    return wait_for_end(handle, timeout) if wait else handle


async def asubmit_taskspec(
    spec: Spec, *, wait: bool = False, timeout: float | None = None, **given: Unpack[Given]
) -> Handle:
    """See :func:`submit_taskspec`."""
    handle = await sync_to_async(submit_taskspec)(spec, **given)
    return await await_end(handle, timeout) if wait else handle


def submit_spec_reference(
    reference: str | Path,
    *,
    wait: bool = False,
    timeout: float | None = None,
    **given: Unpack[Given],
) -> Handle:
    """:func:`submit_taskspec` of a spec by its path or its name; :class:`SpecNotFound`."""
    refuse_old_names(given, Given.__annotations__)
    return submit_taskspec(TaskSpec.named(reference), wait=wait, timeout=timeout, **given)


async def asubmit_spec_reference(
    reference: str | Path,
    *,
    wait: bool = False,
    timeout: float | None = None,
    **given: Unpack[Given],
) -> Handle:
    """See :func:`submit_spec_reference`."""
    handle = await sync_to_async(submit_spec_reference)(reference, **given)
    return await await_end(handle, timeout) if wait else handle


def resolved(spec: Spec, given: Given) -> Resolved:
    """What *spec* enqueues with what is *given*."""
    refuse_old_names(given, Given.__annotations__)
    return resolve(TaskSpec.of(spec), **given)
