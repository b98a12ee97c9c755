"""An app that breaks the hub for good: a child of the supervisor that keeps failing."""
