"""The work of the speech components, off the event loop: in turn, and cancelled when nobody wants it."""
