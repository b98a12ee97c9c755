"""What schemathesis is to know of the server beside its description."""

import os
from itertools import chain, cycle
from typing import Any

import schemathesis
from hypothesis import strategies as st

_LINGERING, _DONE = (os.environ[name].split() for name in ("LINGERING", "DONE"))
_ENDING = ("/stop/", "/kill/", "/send/")

_next_lingering = cycle(_LINGERING)
_next_run = cycle(chain.from_iterable(zip(_LINGERING, _DONE, strict=True)))
_next_accepted = cycle(["*/*", "application/json", "text/event-stream"])

# Most ids are those of runs that there are.
_known = st.sampled_from(_LINGERING + _DONE)
schemathesis.openapi.format("uuid", st.one_of(_known, _known, _known, st.uuids().map(str)))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Ask for each kind of answer, and for one run after the other: some requests end theirs.

    In good requests, have no cursor that nobody was told: one is good for a single list, or up
    to the end of a single log, and no schema can say that.
    """
    case.headers = {**(case.headers or {}), "Accept": next(_next_accepted)}
    if case.path_parameters.get("run_id") in (*_LINGERING, *_DONE):
        known = _next_lingering if case.path.endswith(_ENDING) else _next_run
        case.path_parameters["run_id"] = next(known)
    if case.meta is not None and case.meta.generation.mode.is_positive:
        case.headers.pop("Last-Event-ID", None)
        if case.query and case.query.get("after") != "latest":
            case.query.pop("after", None)
