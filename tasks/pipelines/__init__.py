"""Pipelines: stages that are tasks or TaskSpecs, one after another or as a graph.

::

    Pipeline(
        "nightly",
        [
            Stage(name="extract", target=extract, kwargs={"day": payload("day")}),
            Stage(name="load", target=load, args=[value("extract")]),
        ],
    )

Each stage is a run of its own, and so is the pipeline, whose events tell what becomes of its
stages. Between two stages it takes no room in any process: what is next stands in the database,
and whoever ends a stage starts the next one. See ``docs/specs-and-pipelines.md``.
"""

from tasks.pipelines.deferred import (
    asubmit_pipeline_on_commit,
    asubmit_pipeline_reference_on_commit,
    submit_pipeline_on_commit,
    submit_pipeline_reference_on_commit,
)
from tasks.pipelines.pipeline import Pipeline, Stage
from tasks.pipelines.submit import (
    asubmit_pipeline,
    asubmit_pipeline_reference,
    submit_pipeline,
    submit_pipeline_reference,
)
from tasks.specs.documents import pipeline_schema
from tasks.specs.templates import payload, value

__all__ = [
    "Pipeline",
    "Stage",
    "asubmit_pipeline",
    "asubmit_pipeline_on_commit",
    "asubmit_pipeline_reference",
    "asubmit_pipeline_reference_on_commit",
    "payload",
    "pipeline_schema",
    "submit_pipeline",
    "submit_pipeline_on_commit",
    "submit_pipeline_reference",
    "submit_pipeline_reference_on_commit",
    "value",
]
