"""Write requirements/*.lock from pyproject.toml.

One resolution serves every Python from 3.11 on: lines that differ carry a marker.
Versions already locked are kept unless --upgrade asks for the newest.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "requirements" / "run.lock"
DEV = ROOT / "requirements" / "dev.lock"
OLDEST = "3.11"
HEADER = "# Written by `make lock` from pyproject.toml.\n"


def pins(lock: Path) -> list[str]:
    """The pins of a lock, without its comments and includes."""
    lines = lock.read_text().splitlines() if lock.exists() else []
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def resolve(uv: str, keep: list[str], *groups: str) -> list[str]:
    """Every pin that pyproject.toml and the groups need, preferring those in `keep`."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "pins.txt"
        # uv prefers the versions it finds in the file it is about to write.
        output.write_text("\n".join(keep))
        command = [uv, "pip", "compile", "pyproject.toml", *groups]
        command += ["--universal", "--python-version", OLDEST, "--output-file", str(output)]
        command += ["--no-annotate", "--no-header", "--quiet"]
        subprocess.run(command, cwd=ROOT, check=True)
        return pins(output)


def versions(lines: list[str]) -> set[str]:
    """The pins without their markers."""
    return {line.partition(" ;")[0] for line in lines}


def write(lock: Path, lines: list[str]) -> None:
    lock.parent.mkdir(exist_ok=True)
    lock.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    print(f"{lock.relative_to(ROOT)}: {len(lines)} lines")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true")
    upgrade = parser.parse_args().upgrade
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python, uv = f"{folder}/bin/python", f"{folder}/bin/uv"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
        everything = resolve(
            uv, [] if upgrade else pins(RUN) + pins(DEV), "--all-extras", "--group", "dev"
        )
        # From the pins of everything, so that the two locks cannot disagree.
        run = resolve(uv, everything)
    if odd := versions(run) - versions(everything):
        sys.exit(f"The locks disagree on {sorted(odd)}.")
    write(RUN, run)
    write(DEV, [f"-r {RUN.name}", *(pin for pin in everything if pin not in run)])


if __name__ == "__main__":
    main()
