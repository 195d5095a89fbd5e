"""A conversation in the notebook."""
