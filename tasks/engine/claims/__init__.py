"""Which runs are this process's, and for how long."""
