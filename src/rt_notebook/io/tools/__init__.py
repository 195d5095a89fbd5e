"""Calls of Python functions by the model, carried out."""
