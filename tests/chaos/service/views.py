"""The test's hands and eyes inside of a server."""

import asyncio
import ctypes
import gc
import json
import os
import signal
import threading
from typing import Any

from channels.layers import channel_layers
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from consumers.access.limits import get_limits
from consumers.feeds.hub import get_hub
from consumers.feeds.watcher import Watcher
from tasks import aenqueue
from tasks.conf import conf
from tasks.definition.registry import resolve

TASKS = "tests.chaos.service.tasks"

#: Watches the run that its address names, if any, with the options there, and keeps what it hears.
PAGE = """<!DOCTYPE html>
<html lang="en"><title>Suite</title><link rel="icon" href="data:,">
<script type="module">
import { watch } from "/static/headway/headway.js";
const query = new URLSearchParams(location.search);
const seen = window.seen = { seqs: [], states: [], shows: [] };
addEventListener("pageshow", ({ persisted }) => seen.shows.push(persisted));
if (query.has("run")) {
  const run = window.run = watch(query.get("run"), JSON.parse(query.get("options")));
  run.on("*", ({ seq }) => seen.seqs.push(seq));
  run.on(":state", ({ state }) => seen.states.push(state));
}
</script>
"""


@csrf_exempt
async def enqueue(request: HttpRequest) -> JsonResponse:
    """Runs of one task; the body names it and has a list of arguments for each run."""
    wanted = json.loads(request.body)
    task = resolve(f"{TASKS}.{wanted['task']}")
    handles = await task.aenqueue_many([(args, {}) for args in wanted["calls"]])
    return JsonResponse([handle.id for handle in handles], safe=False)


async def enqueue_and_die(request: HttpRequest) -> HttpResponse:
    await aenqueue(f"{TASKS}.mark", request.GET["path"])
    os.kill(os.getpid(), signal.SIGKILL)
    return HttpResponse("never said")


def sign_in(request: HttpRequest) -> HttpResponse:
    """A session cookie of somebody who may watch by the default rule."""
    user, _ = User.objects.get_or_create(username="staff", defaults={"is_staff": True})
    login(request, user)
    return HttpResponse()


async def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


def _groups() -> int:
    """Those in which the hub hears of events, as the layer has them."""
    layer: Any = channel_layers[conf().channel_layer]
    kept = layer._get_layer() if hasattr(layer, "_get_layer") else layer
    return sum("headway.shard." in name for name in kept.groups)


async def state(request: HttpRequest) -> JsonResponse:
    """What is alive in this process; the memory of what is not has been given back."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # glibc's own, malloc_trim(3)
        trim(0)
    return JsonResponse(
        {
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
            "feeds": get_hub().watched,
            "bundles": len(get_hub().bundles),
            "groups": _groups(),
            "streams": get_limits().held("process"),
            # isinstance() would have a request's lazy user be looked up, here on the loop.
            "watchers": sum(issubclass(type(thing), Watcher) for thing in gc.get_objects()),
        }
    )
