"""TaskSpecs: tasks described by a document, such as ``taskspec.json``.

::

    submit_spec_reference("billing/close", payload={"month": "2026-11"})

A spec is code that the project owns, like the module that it names: it comes from the project's
folders or its programs, and never out of a request. See ``docs/specs-and-pipelines.md``.
"""

from tasks.specs.deferred import (
    asubmit_spec_reference_on_commit,
    asubmit_taskspec_on_commit,
    submit_spec_reference_on_commit,
    submit_taskspec_on_commit,
)
from tasks.specs.documents import taskspec_schema
from tasks.specs.spec import TaskSpec
from tasks.specs.submit import (
    asubmit_spec_reference,
    asubmit_taskspec,
    submit_spec_reference,
    submit_taskspec,
)

__all__ = [
    "TaskSpec",
    "asubmit_spec_reference",
    "asubmit_spec_reference_on_commit",
    "asubmit_taskspec",
    "asubmit_taskspec_on_commit",
    "submit_spec_reference",
    "submit_spec_reference_on_commit",
    "submit_taskspec",
    "submit_taskspec_on_commit",
    "taskspec_schema",
]
