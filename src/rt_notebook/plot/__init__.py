"""Plots of a log. Each takes ``ax=`` and returns Axes; none shows, saves or restyles anything.

::

    rt_notebook.plot.timeline(session)      # who spoke when, and what turn detection made of it
    rt_notebook.plot.latency(session)       # where the time before each answer went
"""

from __future__ import annotations

from rt_notebook.plot._latency import latency
from rt_notebook.plot._timeline import timeline

__all__ = ["latency", "timeline"]
