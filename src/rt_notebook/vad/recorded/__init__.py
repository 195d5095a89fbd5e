"""Recorded sessions with other settings, and the rules of the server that they met."""
