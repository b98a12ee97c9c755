"""Of the bundle alone."""

from . import helpers


def report(payload: list[int]) -> str:
    return helpers.title(f"{sum(payload)} in {len(payload)}")
