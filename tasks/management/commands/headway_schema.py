"""``manage.py headway_schema``: the JSON Schemas of TaskSpecs and pipelines."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tasks.specs.documents import pipeline_schema, taskspec_schema

_SCHEMAS = {"taskspec": taskspec_schema, "pipeline": pipeline_schema}


class Command(BaseCommand):
    help = "Print the JSON Schema of TaskSpecs, or of pipelines: for editors, and for checks in CI."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", nargs="?", choices=sorted(_SCHEMAS), default="taskspec")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(_SCHEMAS[options["kind"]](), indent=2))
