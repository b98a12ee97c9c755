"""A Django app like a user's, with the tasks that the suite runs."""
