"""Why it does not connect."""
