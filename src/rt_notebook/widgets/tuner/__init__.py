"""The settings of a turn detection, turned over one recording."""
