"""Events on their way out: over Server-Sent Events and over WebSocket."""
