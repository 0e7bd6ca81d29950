"""What one visitor's session remembers."""
