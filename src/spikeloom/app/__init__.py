"""The local server: a session over HTTP and one WebSocket."""
