"""The same two tasks on each side, and how that side enqueues them.

Every module has ``send(kind)``, one task the usual way, and ``send_many(kind, count)``, by
the fastest documented one.
"""
