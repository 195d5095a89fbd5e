"""The widgets: a microphone and speaker in the notebook, and the playground built on them."""
