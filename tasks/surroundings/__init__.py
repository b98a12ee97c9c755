"""What a run, and the process that executes it, find around themselves."""
