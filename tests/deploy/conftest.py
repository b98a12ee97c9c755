from tests.stacks import ledger, rng, serve, servers, show, stack

__all__ = ["ledger", "rng", "serve", "servers", "show", "stack"]
