"""The form of the setting ``AGENTS``: providers of language models, by name."""

from collections.abc import Mapping

__all__ = ["WANTS", "are_providers"]

WANTS = 'a dict of dicts such as {"default": {"BASE_URL": "https://…", "MODEL": "…"}}'


def are_providers(value: object) -> bool:
    """Whether it is such a dict. What each provider needs, that one says itself."""
    return isinstance(value, Mapping) and all(map(_is_entry, value.items()))


def _is_entry(item: tuple[object, object]) -> bool:
    name, entry = item
    return (
        isinstance(name, str)
        and isinstance(entry, Mapping)
        and all(isinstance(key, str) and key.isupper() for key in entry)
    )
