"""``manage.py cleanup_old_tasks``: delete StreamTasks that were completed long ago."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tasks.streaming.cleanup import clean_up, due


class Command(BaseCommand):
    help = (
        "Delete the StreamTasks that were completed so many hours ago, with their runs and"
        " events, in small batches. What is watched is left. Those that failed or were"
        " stopped are yours to delete; their runs go by HEADWAY['RETENTION']."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--hours", type=float, default=1.0, help="default: 1")
        parser.add_argument("--dry-run", action="store_true", help="count them, and delete nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        hours = options["hours"]
        if not 0 <= hours < 1e6:
            raise CommandError("--hours must be a number from 0 on.")
        before = timezone.now() - timedelta(hours=hours)
        verb = "Would delete" if options["dry_run"] else "Deleted"
        found = (
            ((model, rows.count()) for model, rows in due(before))
            if options["dry_run"]
            else clean_up(before)
        )
        total = 0
        for model, count in found:
            total += count
            if count:
                self.stdout.write(f"{verb} {count} of {model._meta.label}.")
        self.stdout.write(f"{verb} {total} completed tasks.")
