"""Arguments of a stage that refer to the payload and to what other stages returned.

Two objects stand for a value, anywhere in ``args``, ``kwargs``, ``payload`` and ``spec_args``::

    {"$payload": true}     the payload            {"$payload": true, "key": "day"}
    {"$stage": "extract"}  what it returned       {"$stage": "extract", "key": "rows"}

With ``key``, an item of it: of an object by its name, of a list by its number. What is put in
is data: it is not looked through for references again.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tasks.exceptions import InvalidArguments
from tasks.specs.validation import Problem

__all__ = ["PAYLOAD", "STAGE", "fill", "payload", "references", "value", "wrong_form"]

PAYLOAD, STAGE = "$payload", "$stage"


def payload(key: str | int | None = None) -> dict[str, Any]:
    """Stands for the payload, or an item of it."""
    return {PAYLOAD: True} if key is None else {PAYLOAD: True, "key": key}


def value(stage: str, key: str | int | None = None) -> dict[str, Any]:
    """Stands for what *stage* returned, or an item of it."""
    return {STAGE: stage} if key is None else {STAGE: stage, "key": key}


def references(template: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Path and content of every reference in *template*."""
    if _is_reference(template):
        yield path, template
    elif isinstance(template, Mapping):
        for name, item in template.items():
            yield from references(item, f"{path}/{name}")
    elif isinstance(template, list | tuple):
        for number, item in enumerate(template):
            yield from references(item, f"{path}/{number}")


def wrong_form(path: str, reference: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with a reference by itself."""
    if len(reference.keys() - {"key"}) != 1:
        yield Problem(path, "a reference has $stage or $payload, and key")
    elif PAYLOAD in reference and reference[PAYLOAD] is not True:
        yield Problem(path, '"$payload" is true; an item of it is named by "key"')
    elif STAGE in reference and not isinstance(reference[STAGE], str):
        yield Problem(path, '"$stage" is the name of a stage')
    elif not isinstance(reference.get("key", ""), str | int):
        yield Problem(path, '"key" is a name or a number')


def fill(template: Any, find: Callable[[Mapping[str, Any]], Any]) -> Any:
    """*template* with its references replaced, each by its item of what *find* gives for it."""
    if _is_reference(template):
        return _item(find(template), template)
    if isinstance(template, Mapping):
        return {name: fill(item, find) for name, item in template.items()}
    if isinstance(template, list | tuple):
        return [fill(item, find) for item in template]
    return template


def _is_reference(template: Any) -> bool:
    return isinstance(template, Mapping) and (PAYLOAD in template or STAGE in template)


def _item(found: Any, reference: Mapping[str, Any]) -> Any:
    if "key" not in reference:
        return found
    key = reference["key"]
    # A str has items by number as well, and nobody means those.
    if isinstance(found, Mapping | list):
        try:
            return found[key]
        except (LookupError, TypeError):
            pass
    name = f"What the stage {reference[STAGE]!r} returned" if STAGE in reference else "The payload"
    raise InvalidArguments(f"{name} has no item {key!r}.")
