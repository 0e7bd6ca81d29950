"""The feed: load events to WebSocket and SSE clients."""
