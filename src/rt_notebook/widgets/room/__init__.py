"""Settings for one microphone in one room."""
