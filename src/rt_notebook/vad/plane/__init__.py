"""Every setting at once: turns, their score, and a recommendation."""
