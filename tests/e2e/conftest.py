from tests.stacks import ledger, rng, serve, servers, show, stack
from tests.streamed.places import place, tcp

__all__ = ["ledger", "place", "rng", "serve", "servers", "show", "stack", "tcp"]
