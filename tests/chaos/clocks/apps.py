"""``TEST_CLOCK_SHIFT`` seconds are added to what the calendar says, in all of Headway's code."""

import datetime
import importlib
import os
import pkgutil
import sys
import time
from typing import Any

from django.apps import AppConfig

ROOMS = ("tasks", "consumers", "asgi_app")
SHIFT = float(os.environ.get("TEST_CLOCK_SHIFT", "0"))


class Shifted(datetime.datetime):
    """Moments are what they are; only "now" is another."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return datetime.datetime.now(tz) + datetime.timedelta(seconds=SHIFT)


class ClocksConfig(AppConfig):
    name = "tests.chaos.clocks"
    label = "suite_clocks"

    def ready(self) -> None:
        right, right_ns = time.time, time.time_ns
        time.time = lambda: right() + SHIFT
        time.time_ns = lambda: right_ns() + int(SHIFT * 1e9)
        for name in ["django.utils.timezone", *sys.modules, *_all()]:
            module = importlib.import_module(name)
            ours = name.partition(".")[0] in ROOMS or name == "django.utils.timezone"
            if ours and getattr(module, "datetime", None) is datetime.datetime:
                module.datetime = Shifted  # type: ignore[attr-defined]


def _all() -> list[str]:
    """Our modules that have not been imported yet; they would come with the right clock."""
    engine = importlib.import_module("tasks.engine")
    return [found.name for found in pkgutil.walk_packages(engine.__path__, "tasks.engine.")]
