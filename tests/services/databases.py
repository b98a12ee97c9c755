"""Databases on a PostgreSQL server, own or given: made, copied, dropped."""

from urllib.parse import urlsplit

import psycopg
from psycopg import sql

__all__ = ["create", "drop", "named"]


def named(url: str, name: str) -> str:
    """*url* with another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def create(url: str, name: str, template: str = "template1") -> str:
    """Make a database on the server of *url*; its own URL.

    As a copy of *template*, which nobody may be connected to, it has tables at once.
    """
    _run(
        url,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
    )
    return named(url, name)


def drop(url: str, name: str) -> None:
    """Drop a database, ending whoever is connected to it. It need not exist."""
    _run(url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _run(url: str, statement: sql.Composed) -> None:
    # From a database that is always there: nobody can drop the one they are in.
    with psycopg.connect(named(url, "postgres"), autocommit=True, connect_timeout=10) as link:
        link.execute(statement)
