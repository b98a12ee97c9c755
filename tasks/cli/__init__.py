"""The subcommands of ``manage.py tasks``: a module each, and what they share.

A subcommand has ``HELP``, ``arguments(parser)``, and ``run(options, output)``, which gives its
exit code. What it prints for machines is JSON, an object a line; what is for people goes
through :class:`~tasks.cli.output.Output`, since tasks say what they like.
"""
