"""Delivery rounds. The app's label is "tasks", and its name is not."""
