"""Make the Makefile's virtual environment, or say why it cannot be used."""

# It runs before the interpreter is known to be new enough, so it keeps to old syntax.
import argparse
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ASK_VERSION = "import sys; print(*sys.version_info[:2], sep='.')"


def python_of(folder: Path) -> str:
    """The version of the folder's interpreter, empty when it cannot be started."""
    try:
        answer = subprocess.check_output([str(folder / "bin" / "python"), "-c", ASK_VERSION])
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.decode().strip()


def make(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        sys.exit(f"{folder} holds something else than a virtual environment; choose another VENV.")
    print(f"Making {folder} with Python {sys.version.split()[0]}", flush=True)
    # --clear: an earlier attempt may have stopped half-way.
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(folder)]):
        sys.exit(f"Python's venv module failed to make {folder}; its message is above.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--same-python", action="store_true", help="refuse one of another Python")
    options = parser.parse_args()
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if sys.version_info < OLDEST:
        sys.exit(f"Headway needs Python 3.11 or newer, this is {mine}: make PYTHON=python3.x ...")
    if not (options.folder / "bin" / "pip").exists():
        make(options.folder)
        return
    theirs = python_of(options.folder)
    if not theirs:
        sys.exit(f"{options.folder} does not start any more (moved Python?): make clean first.")
    if options.same_python and theirs != mine:
        sys.exit(
            f"{options.folder} was made with Python {theirs}, PYTHON is {mine}: "
            f"give it a folder of its own, VENV=.venv{mine.replace('.', '')}."
        )


if __name__ == "__main__":
    main()
