"""Run ids: UUID version 7, so that ids sort by the time they were made."""

import os
import time
from datetime import datetime
from uuid import UUID

from tasks.exceptions import MalformedRunId

__all__ = ["first_id_at", "new_run_id", "parse_run_id"]


def new_run_id() -> UUID:
    """A fresh UUIDv7: RFC 9562, section 5.7, with method 3 of 6.2 for sub-millisecond order.

    48 bits of Unix milliseconds, the version, 12 bits of the fraction of the
    millisecond, the variant, 62 random bits. The standard library has it from 3.14.
    """
    ns = time.time_ns()
    ms, rest = divmod(ns, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    noise = int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=ms << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | noise)


def first_id_at(moment: datetime) -> UUID:
    """The lowest id that may be made at *moment*, which is aware."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62)


def parse_run_id(value: UUID | str) -> UUID:
    """The id as a UUID; :class:`MalformedRunId` where it is none."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise MalformedRunId from error
