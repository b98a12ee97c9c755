"""``manage.py headway_health``: for a container's health check and for probes."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tasks.engine.upkeep.health import examine


class Command(BaseCommand):
    help = (
        "Look at the database, its migrations and the Channels layer, and say what is found:"
        " a line for each. Ends with code 0 if all is well, else with 1."
    )
    # They have been made when the service started; a probe is to be quick.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--worker",
            action="store_true",
            help="look also whether a process that executes runs lives on this host",
        )
        parser.add_argument("--json", action="store_true", help="say it in JSON")
        parser.add_argument(
            "--timeout",
            metavar="SECONDS",
            type=float,
            default=5.0,
            help="what has not answered by then has failed (default: 5)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        timeout = options["timeout"]
        if not 0 < timeout < float("inf"):
            raise CommandError("--timeout must be a number of seconds above 0.")
        found = examine(timeout, worker=options["worker"])
        ok = all(finding.ok for finding in found)
        if options["json"]:
            checks = {item.name: {"ok": item.ok, "message": item.message} for item in found}
            self.stdout.write(json.dumps({"ok": ok, "checks": checks}))
        else:
            for finding in found:
                self.stdout.write(f"{finding.name}: {finding.message or 'ok'}")
        if not ok:
            raise SystemExit(1)
