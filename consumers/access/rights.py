"""Rights that end: whoever watches is asked for them again while they do."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import anyio

from tasks.conf import conf
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.process.threads import DatabaseThread

if TYPE_CHECKING:
    from consumers.access.admission import Admission
    from consumers.refusal import Refusal
    from tasks.grants import Grant

__all__ = ["Holder", "Rights"]

_SHARE = 0.25  # of a thread's time that AUTHZ may take, however many watch

Ended = Mapping["Admission", "Refusal"]


class Holder(Protocol):
    """What somebody was let in to, and what ends when they may not be there any more."""

    def deny(self, refusal: "Refusal") -> None:
        """Close, and say why."""


class Leaver(Holder, Protocol):
    """One that can end by itself."""

    #: Called when it has.
    let_go: Callable[[], None] | None


class Rights:
    """Asks every ``RECHECK`` seconds, for all that is open in this process at once.

    Users, sessions and grants are looked up together: as many queries for a thousand
    watchers as for one. AUTHZ is asked once for each user and run. It is the project's and may
    be slow, so it has a thread of its own, and rests when it takes long.
    """

    def __init__(self) -> None:
        self._held: dict[Holder, Admission] = {}
        self._facts = DatabaseThread("headway-rights")
        self._rule = DatabaseThread("headway-authz")

    def hold(self, holder: Holder, admission: "Admission") -> None:
        """Deny it to *holder* once *admission* has ended; in the place of an earlier one."""
        self._held[holder] = admission

    def bind(self, holder: "Leaver", admission: "Admission | None") -> None:
        """:meth:`hold` it until it is over by itself; without an admission, it is free."""
        if admission is not None:
            holder.let_go = partial(self.release, holder)
            self.hold(holder, admission)

    def renew(self, holder: Holder, grant: "Grant") -> None:
        """Let it go on with *grant*, if it was one for the same that held it."""
        held = self._held.get(holder)
        if held is not None and held.grant and held.action == grant.action:
            self._held[holder] = replace(held, grant=grant)

    def release(self, holder: Holder) -> None:
        self._held.pop(holder, None)

    async def serve(self) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._repeat, "Looking up users and grants", self._look, 1.0)
                group.start_soon(self._repeat, "Asking AUTHZ again", self._ask, _SHARE)
        finally:
            self._facts.close()
            self._rule.close()

    async def _repeat(
        self, what: str, look: Callable[[list["Admission"]], Awaitable[Ended]], share: float
    ) -> None:
        trouble = Trouble(what)
        pause = conf().recheck
        while True:
            await anyio.sleep(pause)
            began = monotonic()
            # Who cannot be asked for stays: an outage is no answer.
            with trouble:
                self._deny(await look(list(self._held.values())))
            took = monotonic() - began
            pause = max(conf().recheck, took / share - took)

    def _deny(self, ended: Ended) -> None:
        for holder, admission in list(self._held.items()) if ended else ():
            # Not for one that was renewed meanwhile.
            if (refusal := ended.get(admission)) is not None:
                self.release(holder)
                holder.deny(refusal)

    async def _look(self, admissions: list["Admission"]) -> Ended:
        # This module is imported before there are models.
        from consumers.access.admission import lapsed, outdated

        self._deny(outdated(admissions))
        facts = [one for one in admissions if one.grant or (one.identity and one.identity.pk)]
        return await self._facts.call(lapsed, facts) if facts else {}

    async def _ask(self, admissions: list["Admission"]) -> Ended:
        from consumers.access.auth import denied

        ruled = [one for one in admissions if one.identity and one.run_id]
        return await denied(ruled, self._rule) if ruled else {}
