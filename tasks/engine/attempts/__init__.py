"""One attempt at a run: what it is, what it says, what it hears."""
