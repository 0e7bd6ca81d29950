"""The hub: one Tornado process that serves REST, the WebSocket feed and uploads; stateless, any number of copies."""
