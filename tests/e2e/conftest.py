from tests.stacks import ledger, rng, serve, show, stack

__all__ = ["ledger", "rng", "serve", "show", "stack"]
