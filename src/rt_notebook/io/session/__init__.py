"""`Session`: its public face, its thread, and the part that runs there."""
