"""A session that was written down, as one file."""
