"""``python -m tests.bench.store``: what the engine's statements cost, SQLite and PostgreSQL."""

import os
import subprocess
import sys
import tempfile

from tests.processes import ROOT
from tests.services import databases, running

__all__ = ["main"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running() as urls:
        server = urls["TEST_DATABASE_URL"]
        name = f"bench_{os.getpid()}"
        try:
            for url in (f"sqlite:///{folder}/db.sqlite3", databases.create(server, name)):
                settings = {
                    "DATABASE_URL": url,
                    "HEADWAY_DATA": folder,
                    "HEADWAY_APPS": "tests.bench.app",
                    "DJANGO_SETTINGS_MODULE": "asgi_app.settings",
                }
                inside = [sys.executable, "-m", "tests.bench.statements"]
                subprocess.run(inside, env=os.environ | settings, cwd=ROOT, check=True)
        finally:
            databases.drop(server, name)


if __name__ == "__main__":
    main()
