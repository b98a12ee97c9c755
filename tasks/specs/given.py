"""The arguments that whoever submits a spec gives."""

from collections.abc import Container, Mapping
from typing import Any, Final

from tasks.exceptions import InvalidArguments
from tasks.specs.spec import TaskSpec
from tasks.specs.templates import references
from tasks.specs.validation import problems

__all__ = ["MISSING", "refuse_old_names", "spec_values"]

#: Stands for what was not given: None is a payload like any other.
MISSING: Final = object()

_OLD = {"work_payload": "payload", "input": "payload"}


def spec_values(
    spec: TaskSpec, given: Mapping[str, Any] | None, *, template: bool = False
) -> dict[str, Any]:
    """The values of the declared arguments; :class:`InvalidArguments` says what does not fit.

    In a *template*, what has references is not known yet.
    """
    declared, given = spec.spec_args, given or {}
    wrong = [f"/spec_args/{name}: not declared" for name in given if name not in declared]
    values: dict[str, Any] = {}
    for name, one in declared.items():
        if name in given:
            values[name] = given[name]
            known = not template or not any(references(given[name]))
            schema = {"type": one["type"]} if known and "type" in one else {}
            wrong += map(str, problems(given[name], schema, f"/spec_args/{name}"))
        elif "default" in one:
            values[name] = one["default"]
        elif one.get("required"):
            wrong.append(f"/spec_args/{name}: must be given")
    if wrong:
        takes = ", ".join(sorted(declared)) or "none"
        raise InvalidArguments(f"The spec {spec.name} takes: {takes}. " + "; ".join(wrong))
    return values


def refuse_old_names(given: Mapping[str, Any], known: Container[str] = ()) -> None:
    """:class:`InvalidArguments` for what is no parameter, with a hint if it is one elsewhere."""
    for name in given:
        if name in known:
            continue
        if name in _OLD:
            raise InvalidArguments(f"{name}= is called {_OLD[name]}= here.")
        raise InvalidArguments(f"There is no parameter {name}=.")
