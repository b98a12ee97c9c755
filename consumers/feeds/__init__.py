"""What this process has of runs, for all who watch them in it."""
