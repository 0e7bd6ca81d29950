"""The hub's handlers, a module per noun."""
