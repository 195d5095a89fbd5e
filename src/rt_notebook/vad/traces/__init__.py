"""What a detector makes of a recording, and the turns of one setting."""
