"""How one process hears what another has written, and who waits here for it."""
