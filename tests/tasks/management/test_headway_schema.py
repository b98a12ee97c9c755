"""Printing the schemas."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tasks.pipelines import pipeline_schema
from tasks.specs import taskspec_schema


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("headway_schema", *arguments, stdout=out)
    return out.getvalue()


def test_they_are_printed_as_they_are_heeded() -> None:
    assert json.loads(printed()) == json.loads(printed("taskspec")) == taskspec_schema()
    assert json.loads(printed("pipeline")) == pipeline_schema()


def test_there_is_no_other() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'agent'"):
        printed("agent")
