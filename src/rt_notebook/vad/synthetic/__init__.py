"""Rooms, readers and sounds that are made: everything about them is known."""
