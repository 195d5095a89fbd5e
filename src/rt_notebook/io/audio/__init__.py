"""Recordings, speakers, and the voice of the assistant between them."""
