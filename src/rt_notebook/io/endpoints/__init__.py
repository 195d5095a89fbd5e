"""Where a session connects to."""
