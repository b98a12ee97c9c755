"""An app that traces: a provider as a project would set it, writing spans to a file."""
