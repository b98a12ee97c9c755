"""The two ways in which users run Headway, both from the wheel, with the shop's app.

As the service: a folder that holds the app and nothing else, and ``HEADWAY_APPS``.
Inside the shop's own project: its settings, users, middleware, URLs and ``asgi.py``.
"""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.visitor import Visitor
from tests.live import LiveServer
from tests.processes import ROOT
from tests.wheel import installed

__all__ = ["PASSWORD", "WAYS", "Way", "copy", "django"]

SHOP = ROOT / "tests" / "project"
PASSWORD = "correct horse"
DOMAIN = "@shop.example"

# One process for all, as each takes a second to come up.
PREPARE = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command

call_command("migrate", interactive=False, verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
people = get_user_model().objects
for name in ("ada", "bob"):
    people.create_user(name + {domain!r}, password={password!r})
"""
STAFF = "people.create_superuser('cleo', password={password!r})"
CLERK = (
    "clerks = Group.objects.create(name='clerks')\n"
    "people.create_user('cleo' + {domain!r}, password={password!r}).groups.add(clerks)"
)


@dataclass(frozen=True)
class Way:
    """A server, its tables made and its people known: ada and bob, customers; cleo,
    who may watch everything.
    """

    server: LiveServer
    #: Where Headway's URLs and WebSockets are.
    urls: str
    sockets: str
    #: Where its pages say that static files are, and the folder that a web server in
    #: front would serve there; None: daphne does.
    statics: str
    collected: Path | None
    #: What follows somebody's name to log in.
    domain: str
    #: Table of the users and its column that they log in by.
    users: tuple[str, str]

    def visitor(self, name: str = "") -> Visitor:
        """Somebody who logs in on entering the context; without a name, nobody in particular."""
        login = ("/shop/login/", f"{name}{self.domain}", PASSWORD) if name else None
        return Visitor(self.server, login)

    def run(self, run_id: str) -> str:
        return f"{self.urls}tasks/{run_id}/"

    def events(self, run_id: str) -> str:
        return f"{self.urls}tasks/{run_id}/events/"

    def socket(self, run_id: str) -> str:
        return f"{self.sockets}{run_id}/"


def service(folder: Path) -> Way:
    """``HEADWAY_APPS=shop daphne asgi_app.asgi:application``"""
    shutil.copytree(SHOP / "shop", folder / "shop", ignore=_unwanted)
    server = LiveServer(
        folder / "data", {"HEADWAY_APPS": "shop,shop.jobs"}, python=installed(), cwd=folder
    )
    _prepare(server, STAFF)
    return Way(
        server=server,
        urls="/",
        sockets="/ws/tasks/",
        statics="/static/",
        collected=None,
        domain="",
        users=("auth_user", "username"),
    )


def copy(folder: Path) -> LiveServer:
    """The shop's project, fresh: nothing is migrated and nobody known."""
    shutil.copytree(SHOP, folder, dirs_exist_ok=True, ignore=_unwanted)
    return LiveServer(
        folder,
        python=installed(),
        cwd=folder,
        settings="storefront.settings",
        application="storefront.asgi:application",
    )


def project(folder: Path) -> Way:
    """``daphne storefront.asgi:application``"""
    server = copy(folder)
    _prepare(server, CLERK, DOMAIN)
    users = ("people_person", "email")
    return Way(
        server=server,
        urls="/background/",
        sockets="/ws/background/",
        statics="/assets/",
        collected=folder / "collected",
        domain=DOMAIN,
        users=users,
    )


WAYS: dict[str, Callable[[Path], Way]] = {"service": service, "project": project}

# What running the shop in the checkout may have left.
_unwanted = shutil.ignore_patterns("__pycache__", "*.sqlite3*", ".headway", "collected")


def django(server: LiveServer, *arguments: str) -> str:
    """``python -m django …``, which needs no ``manage.py``; its output."""
    done = subprocess.run(
        [server.python, "-m", "django", *arguments],
        cwd=server.cwd,
        env=server.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"django {arguments}: {done.returncode}\n{done.stdout}")
    return done.stdout


def _prepare(server: LiveServer, everything: str, domain: str = "") -> None:
    """*everything* is the code that makes cleo one who may watch everything."""
    server.folder.mkdir(exist_ok=True)
    code = (PREPARE + everything).format(password=PASSWORD, domain=domain)
    django(server, "shell", "-c", code)
