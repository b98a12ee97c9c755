"""Arguments of a stage that refer to the payload and to what other stages returned.

Two objects stand for a value, anywhere in ``args`` and ``kwargs``::

    {"$payload": true}     the payload            {"$payload": true, "key": "day"}
    {"$stage": "extract"}  what it returned       {"$stage": "extract", "key": "rows"}

With ``key``, an item of it: of an object by its name, of a list by its number. What is put in
is data: it is not looked through for references again.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tasks.exceptions import InvalidArguments

__all__ = ["PAYLOAD", "STAGE", "fill", "payload", "references", "value"]

PAYLOAD, STAGE = "$payload", "$stage"


def payload(key: str | int | None = None) -> dict[str, Any]:
    """Stands for the payload, or an item of it."""
    return {PAYLOAD: True} if key is None else {PAYLOAD: True, "key": key}


def value(stage: str, key: str | int | None = None) -> dict[str, Any]:
    """Stands for what *stage* returned, or an item of it."""
    return {STAGE: stage} if key is None else {STAGE: stage, "key": key}


def references(template: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and content of every reference in *template*."""
    if _is_reference(template):
        yield path, template
    elif isinstance(template, Mapping):
        for name, item in template.items():
            yield from references(item, f"{path}/{name}")
    elif isinstance(template, list | tuple):
        for number, item in enumerate(template):
            yield from references(item, f"{path}/{number}")


def fill(template: Any, kind: str, find: Callable[[Any], Any]) -> Any:
    """*template* with the references of *kind* replaced by what *find* gives for each."""
    if _is_reference(template):
        return _item(find(template[kind]), template) if kind in template else template
    if isinstance(template, Mapping):
        return {name: fill(item, kind, find) for name, item in template.items()}
    if isinstance(template, list | tuple):
        return [fill(item, kind, find) for item in template]
    return template


def _is_reference(template: Any) -> bool:
    return isinstance(template, Mapping) and (PAYLOAD in template or STAGE in template)


def _item(found: Any, reference: Mapping[str, Any]) -> Any:
    if "key" not in reference:
        return found
    key = reference["key"]
    try:
        return found[key]
    except (LookupError, TypeError):
        of = reference.get(STAGE)
        name = "The payload" if of is None else f"What the stage {of!r} returned"
        raise InvalidArguments(f"{name} has no item {key!r}.") from None
