"""The demo: three tasks and a page to watch them, built as any app of a user's would be.

A project leaves it out by not naming it in ``INSTALLED_APPS``.
"""
