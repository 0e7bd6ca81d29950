"""How Tripdeck is run: the local stack, containers, cloud."""
