"""Everybody may everything: most of the tests are not about rights."""


def everybody(user: object, run: object, action: object) -> bool:
    return True
