"""Django's settings of the service, and the only reader of the environment.

A project that needs more than these variables, such as a user model of its own, has a
settings module that begins with ``from asgi_app.settings import *``, and names it in
``DJANGO_SETTINGS_MODULE``.

======================= ====================================================================
``SECRET_KEY``          default: made on the first start and kept in ``HEADWAY_DATA``
``DEBUG``               default off
``ALLOWED_HOSTS``       comma-separated; default this machine only
``CSRF_TRUSTED_ORIGINS`` comma-separated origins, such as ``https://example.org``
``HTTPS``               cookies for HTTPS only, and HSTS; default: on, unless every allowed
                        host is this machine
``DATABASE_URL``        default: SQLite in ``HEADWAY_DATA``; see :mod:`asgi_app.databases`
``REDIS_URL``           default: the in-memory layer, for one process; see :mod:`asgi_app.layers`
``LOG_LEVEL``           of what is written to stderr; default ``INFO``
``LOG_FORMAT``          ``text``, or ``json``: one object a line; default ``text``
``HEADWAY_DATA``        folder of the database and the secret key; default ``./.headway``
``HEADWAY_APPS``        comma-separated apps to load beside Headway's
``HEADWAY_<KEY>``       a key of ``HEADWAY``, such as ``HEADWAY_ROLE`` or ``HEADWAY_GRACE``
``NOTIFY_SOCKET``       systemd's: it is told when this process is ready, and when it stops
======================= ====================================================================
"""

import logging
import os
from pathlib import Path
from typing import Any

from asgi_app.databases import database, sqlite
from asgi_app.environment import Environment
from asgi_app.layers import layer
from asgi_app.secret import kept_secret, private_folder

_env = Environment(os.environ)
_data = Path(_env.text("HEADWAY_DATA", ".headway")).absolute()

LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

# Security

SECRET_KEY = _env.text("SECRET_KEY") or kept_secret(private_folder(_data) / "secret_key")
DEBUG = _env.flag("DEBUG")
ALLOWED_HOSTS = _env.words("ALLOWED_HOSTS", ",".join(LOCAL_HOSTS))
CSRF_TRUSTED_ORIGINS = _env.words("CSRF_TRUSTED_ORIGINS")

# Browsers are reached over plain HTTP only on the machine itself.
_https = _env.flag("HTTPS", default=not set(ALLOWED_HOSTS) <= set(LOCAL_HOSTS))
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SECURE_HSTS_SECONDS = 3600 if _https else 0
X_FRAME_OPTIONS = "DENY"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"

# Apps

HEADWAY_APPS = _env.apps("HEADWAY_APPS")
INSTALLED_APPS = [
    # Before staticfiles, whose `runserver` would win otherwise.
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "tasks",
    "consumers",
    *HEADWAY_APPS,
]
MIDDLEWARE = [
    "consumers.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "consumers.middleware.run_owner",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "asgi_app.urls"
ASGI_APPLICATION = "asgi_app.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Data

if _url := _env.text("DATABASE_URL"):
    DATABASES = {"default": database(_url)}
else:
    DATABASES = {"default": sqlite(private_folder(_data) / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "asgi_app.memorylayer.MemoryLayer"}
}
if _redis := _env.text("REDIS_URL"):
    CHANNEL_LAYERS["default"] = layer(_redis)

USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = _data / "static"

# Headway

HEADWAY: dict[str, Any] = _env.headway()
if "asgi_app.demo" in HEADWAY_APPS:
    # The demo is for visitors: this opens its own tasks, and no others.
    HEADWAY.setdefault("AUTHZ", "asgi_app.demo.authz.open_demo")
NOTIFY_SOCKET = _env.text("NOTIFY_SOCKET")
# An empty list: any queue name is allowed.
TASKS = {"default": {"BACKEND": "tasks.backend.HeadwayBackend", "QUEUES": []}}

# Logging

_level = _env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
_format = _env.choice("LOG_FORMAT", "text", ("text", "json"))
# Python writes warnings to stderr by itself, which is no JSON.
logging.captureWarnings(_format == "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"run": {"()": "tasks.logs.RunFields"}, "blame": {"()": "tasks.logs.Blame"}},
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s%(run)s"},
        "json": {"()": "tasks.logs.JsonLines"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["run", "blame"],
            "formatter": _format,
        }
    },
    "root": {"handlers": ["stderr"], "level": _level},
    # Django's own handlers would write each line again, or mail it to nobody.
    "loggers": {"django": {"handlers": [], "level": _level}},
}
