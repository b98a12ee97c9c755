"""Folder and environment of a process. Nothing here is read: they are handed on."""

import os

from tasks.definition.options import Options

__all__ = ["enter"]


def enter(options: Options, *, alone: bool = False) -> None:
    """Move the calling process there; ``ValueError`` if there is no such folder.

    *alone*: with nothing of the environment that it has.
    """
    if alone:
        os.environ.clear()
    if options.env:
        os.environ.update(options.env)
    if options.working_dir is not None:
        try:
            os.chdir(options.working_dir)
        except OSError as error:
            raise ValueError(
                f"working_dir {options.working_dir!r} cannot be entered: {error.strerror}."
            ) from None
