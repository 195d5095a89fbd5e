"""Rooms and readers that are made: everything about them is known."""
