"""PostgreSQL and a Redis-compatible server of the suite's own, and nginx in front of web processes.

``python -m tests.services -- pytest tests/tasks`` runs a command with both; tests that
restart, freeze or kill a server make one for themselves.
"""

from tests.services.nginx import Nginx
from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.services.running import running
from tests.services.service import Service

__all__ = ["Nginx", "Postgres", "Redis", "Service", "running"]
