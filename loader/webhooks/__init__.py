"""Webhooks: registered addresses, and the signed messages that they get when loads end."""
