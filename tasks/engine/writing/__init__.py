"""The way into the log: gathered, committed together, then published."""
