"""The project as its users get it: a wheel, and an environment it was installed into."""

import atexit
import functools
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tests.processes import ROOT

__all__ = ["installed", "wheel"]


@functools.cache
def wheel() -> Path:
    """The wheel of this checkout, built once a session by the locked backend, offline."""
    folder = _temporary("headway-wheel-")
    _run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@functools.cache
def installed() -> str:
    """The Python of a fresh environment that has the wheel, and nothing of the checkout.

    The other packages are those of the environment the tests run in: installing them
    once more takes a minute and a network. Its folder is on the path, and its ``.pth``
    files are read for a site folder only, so the editable install in there has no effect.
    """
    folder = _temporary("headway-installed-")
    _run("-m", "venv", "--without-pip", str(folder))
    python = str(folder / "bin" / "python")
    _run("-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps",
         "--disable-pip-version-check", str(wheel()))  # fmt: skip
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def _temporary(prefix: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}")
