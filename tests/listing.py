"""A list of runs as its client has it: what it knows, and where it is."""

import json
from typing import Any

__all__ = ["Listing"]


class Listing:
    """Takes the text of an event stream, as a browser would.

    Every state comes once, and only a list that begins anew may go back. *known* has each
    run's newest state, *order* the ids as they came.
    """

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self.order: list[str] = []
        #: The id that the client would go on from.
        self.after: str | None = None
        self.begun: list[bool] = []
        self._rest = ""
        self._loose: set[str] = set()

    def cut(self) -> None:
        """The connection is over; what was not whole may come again."""
        self._rest = ""

    def take(self, text: str) -> None:
        *blocks, self._rest = (self._rest + text).split("\n\n")
        for block in blocks:
            lines = [line for line in block.split("\n") if line and not line.startswith(":")]
            fields = dict(line.split(": ", 1) for line in lines)
            if "data" in fields:
                self.hear(fields["event"], json.loads(fields["data"]))
            if "id" in fields:
                self.place(fields["id"])

    def hear(self, event: str, content: dict[str, Any]) -> None:
        if event == "listing":
            self.begun.append(content["anew"])
            if content["anew"]:
                self.known.clear()
            return
        assert event == content["type"] == "run", content
        run_id, state = content["run"], content["data"]
        assert (state["id"], state["last_seq"]) == (run_id, content["seq"])
        if had := self.known.get(run_id):
            # A request to stop is seen before the event that says so.
            again = run_id in self._loose and had == state
            assert again or had["last_seq"] <= state["last_seq"], (had, state)
            assert again or had != state, state
        self._loose.add(run_id)
        self.order.append(run_id)
        self.known[run_id] = state

    def place(self, after: str) -> None:
        self.after = after
        self._loose.clear()

    @property
    def statuses(self) -> dict[str, str]:
        return {run_id: state["status"] for run_id, state in self.known.items()}
