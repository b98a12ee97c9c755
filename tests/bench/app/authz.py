"""Everybody may everything: the benchmarks have no login."""


def everybody(user: object, run: object, action: object) -> bool:
    return True
