"""What pages need from outside: database, hub, sign-in."""
