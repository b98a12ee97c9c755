"""``manage.py headway_prune``: delete finished runs now, by the settings or by what is said."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.upkeep.pruning import prune, what_goes
from tasks.settings import retention


class Command(BaseCommand):
    help = (
        "Delete the finished runs, with their events, that HEADWAY['RETENTION'] no longer keeps."
        " Executing processes do so about every minute. With --days or --runs, delete by these"
        " instead. What is watched, or ended less than a minute ago, is left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, and delete nothing")
        parser.add_argument("--days", metavar="N", help="delete what ended so long ago")
        parser.add_argument(
            "--runs", metavar="N", help="delete all but the newest so many of a queue and status"
        )
        parser.add_argument("--queue", metavar="NAME", help="with --days or --runs: of this queue")
        parser.add_argument(
            "--status", metavar="STATUS", help="with --days or --runs: of this status"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(self.prune(options))

    def prune(self, options: dict[str, Any]) -> str:
        """Do it, and say what was done."""
        rules = self._rules(options)
        if options["dry_run"]:
            count = sum(store.prunable(dues) for dues in what_goes(rules))
            return f"Would delete {count} finished runs."
        return f"Deleted {prune(rules, time.sleep)} finished runs."

    def _rules(self, options: dict[str, Any]) -> list[retention.Rule]:
        names = ("queue", "status", "days", "runs")
        given = {name: options[name] for name in names if options[name] is not None}
        if not given:
            return retention.rules(conf().retention)
        try:
            given |= {"days": float(given["days"])} if "days" in given else {}
            given |= {"runs": int(given["runs"])} if "runs" in given else {}
        except ValueError:
            raise CommandError("--days and --runs must be numbers.") from None
        if not given.keys() & {"days", "runs"}:
            raise CommandError("--queue and --status go with --days or --runs.")
        if not retention.are_rules([given]):
            raise CommandError(f"What is given must make {retention.WANTS}.")
        return retention.rules([given])
