"""Who comes, and what they are allowed."""

from types import SimpleNamespace
from typing import Any

VISITOR = "192.0.2.7"


def of(address: str | None) -> dict[str, Any]:
    return {"client": address and (address, 4711)}


def user(pk: int | None) -> Any:
    return SimpleNamespace(pk=pk, is_authenticated=pk is not None)


def allow(settings: Any, **keys: Any) -> None:
    settings.HEADWAY = {"AUTHZ": lambda user, run, action: True} | {
        key.upper(): value for key, value in keys.items()
    }
