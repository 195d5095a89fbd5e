"""rt_notebook: talk with realtime speech models in Jupyter."""

__version__ = "0.1.0"
