"""Processes of their own for runs: a fork server, and the two ends of what it forks.

::

    supervisor (client, escort) ──── control: fork, signal ────► fork server (server)
        │                                                            │ fork
        └──── channel of the run: request, events, result ────► leader (leader, function)

The fork server is a process that has imported Django and the tasks, has one thread and no
database connection, and does nothing but fork, signal and reap. Each run has one process in a
session of its own, its *leader*; whatever a leader leaves behind becomes the server's child and
is ended. When the supervisor dies the server ends all, itself included; what a killed server
leaves behind becomes the child of its parent, the guardian, and is ended.
"""
