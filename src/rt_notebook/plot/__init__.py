"""Plots of a log and of the VAD lab. Each takes ``ax=`` and returns Axes; none shows or restyles anything.

::

    rt_notebook.plot.timeline(session)      # who spoke when, and what turn detection made of it
    rt_notebook.plot.latency(session)       # where the time before each answer went
    rt_notebook.plot.vad(trace, vad)        # a recording's speech probability, and the turns of one setting
    rt_notebook.plot.plane(sweep, "cost")   # a metric over every threshold and silence duration
    rt_notebook.plot.whatif(found)          # recorded turns above, those of other settings below
"""

from __future__ import annotations

from rt_notebook.plot._latency import latency
from rt_notebook.plot._plane import plane
from rt_notebook.plot._timeline import timeline
from rt_notebook.plot._vad import vad
from rt_notebook.plot._whatif import whatif

__all__ = ["latency", "plane", "timeline", "vad", "whatif"]
