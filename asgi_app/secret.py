"""The secret key that is made on the first start and kept."""

import contextlib
import os
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

__all__ = ["kept_secret", "private_folder"]


def private_folder(path: Path) -> Path:
    """*path* as a folder that only its owner may enter, made if need be."""
    try:
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The default lies in whatever folder one started in, often a repository.
            (path / ".gitignore").write_text("*\n")
    except OSError as error:
        raise ImproperlyConfigured(
            f"HEADWAY_DATA: {path} cannot be made or is no folder ({error.strerror})."
        ) from None
    return path


def kept_secret(path: Path) -> str:
    """The secret in *path*, made if there is none yet.

    Processes that start at the same moment all get the same one: the file appears
    whole, by a link that only the first of them can make.
    """
    try:
        if not path.exists():
            _make(path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"The secret key in {path} cannot be made or read ({error}). "
            "Set SECRET_KEY, or let HEADWAY_DATA name a folder that can be written."
        ) from None
    if len(secret) < 32:
        raise ImproperlyConfigured(
            f"{path} holds no secret key. Remove it for a new one to be made, or set SECRET_KEY."
        )
    return secret


def _make(path: Path) -> None:
    # mkstemp opens with mode 0600 and O_EXCL.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(get_random_secret_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Another process was faster: its secret is the one.
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
