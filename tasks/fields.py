"""A model field for JSON kept as text."""

from typing import Any

from django.db import models

from tasks.codec import decode, encode

__all__ = ["JSONTextField"]


class JSONTextField(models.TextField):  # type: ignore[type-arg]
    """A JSON value, stored as its text.

    ``JSONField`` lets the database rewrite what it keeps: PostgreSQL's jsonb reorders
    names and refuses ``\\u0000``. What a task was given and what it returned must come
    back exactly as it went in.
    """

    def from_db_value(self, value: str | None, *_: object) -> Any:
        return None if value is None else decode(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else encode(value)

    def value_to_string(self, obj: models.Model) -> str:
        return encode(self.value_from_object(obj))
