"""Everybody may everything: the tests have no login."""


def everybody(user: object, run: object, action: object) -> bool:
    return True
