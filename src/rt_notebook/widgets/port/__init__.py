"""The microphone and speaker of a page, and the comm's carrier below every widget."""
