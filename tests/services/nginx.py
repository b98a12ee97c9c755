"""nginx with the configuration that ``deploy/`` ships, in front of any web processes."""

import functools
import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

from tests.processes import ROOT
from tests.services.service import Service

__all__ = ["Nginx"]

# What a distribution's nginx.conf says around ours.
MAIN = """\
{user}
daemon off;
worker_processes 2;
worker_shutdown_timeout 500ms;
pid {folder}/pid;
events {{ worker_connections 4096; }}
http {{
    log_format answers '$status $request_method $request_uri $upstream_addr $upstream_status';
    access_log {folder}/access answers;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/nginx-upstream.conf;
    include {folder}/nginx.conf;
}}
"""


class Nginx(Service):
    """In front of *upstreams*, ports of this machine.

    Of the shipped files only the ports are others: the one it listens on, and the servers
    of the upstream, one for each port and with the first one's options.
    """

    name = "nginx"
    stop_signal = signal.SIGTERM
    refusals = (OSError,)

    def __init__(self, upstreams: Sequence[int]) -> None:
        super().__init__()
        self._executable = executable()
        user = "user root;" if os.geteuid() == 0 else ""  # nobody could not enter the folder
        (self.folder / "main").write_text(MAIN.format(folder=self.folder, user=user))
        (self.folder / "nginx.conf").write_text(listening(self.port))
        (self.folder / "nginx-upstream.conf").write_text(serving(upstreams))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        folder = str(self.folder)
        return [self._executable, "-e", "stderr", "-p", folder, "-c", f"{folder}/main"]

    def ask(self) -> None:
        # It answers as soon as it listens; what its upstream says to that is not asked.
        socket.create_connection(("127.0.0.1", self.port), timeout=2.0).close()

    def answers(self) -> Counter[int]:
        """How often it has answered with each status; a stream counts when it has ended."""
        lines = (self.folder / "access").read_text().splitlines()
        return Counter(int(line.split()[0]) for line in lines)


def listening(port: int) -> str:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    changed, count = re.subn(r"^    listen 80;$", f"    listen 127.0.0.1:{port};", text, flags=re.M)
    assert count == 1, text
    return changed


def serving(ports: Sequence[int]) -> str:
    text = (ROOT / "deploy" / "nginx-upstream.conf").read_text()
    servers = re.compile(r"(?:^    server \S+( .*)?;\n)+", re.M)
    (shipped,) = servers.finditer(text)
    lines = [f"    server 127.0.0.1:{port}{shipped[1]};\n" for port in ports]
    return servers.sub("".join(lines), text)


@functools.cache
def executable() -> str:
    script = [sys.executable, str(ROOT / "scripts" / "ensure_nginx.py"), "--find"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()
