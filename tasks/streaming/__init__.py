"""What the coordinator stands on: rows that are tasks, and the runs of them."""
