"""A process whose clock is wrong: settings and an app for live servers of the tests."""
