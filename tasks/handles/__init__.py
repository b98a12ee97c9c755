"""What a caller has of a run: its enqueueing gives a handle, which tells, waits and ends it."""

from tasks.handles.handle import Handle, get_handle

__all__ = ["Handle", "get_handle"]
