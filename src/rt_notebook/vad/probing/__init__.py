"""What an endpoint does with its settings, found out by ear."""
