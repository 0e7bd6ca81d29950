"""Areas of any shape."""
