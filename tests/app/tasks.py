"""Tasks for the suite."""
