"""The tuner's settings as traits: each alone, and all of them as one value."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import traitlets
from ipywidgets import ValueWidget

from rt_notebook.core.config import ServerVad
from rt_notebook.vad.traces.simulate import check_rules

__all__ = ["SETTINGS", "TunerDials"]

SETTINGS = (*ServerVad.NUMBERS, "exit_threshold")


class TunerDials(ValueWidget):  # type: ignore[misc]
    """Four settings and their sum; `VadTuner` decides once for whatever changes at once."""

    threshold = traitlets.Float(0.5).tag(sync=True)
    prefix_padding_ms = traitlets.Int(300).tag(sync=True)
    silence_duration_ms = traitlets.Int(500).tag(sync=True)
    exit_threshold = traitlets.Float(None, allow_none=True).tag(sync=True)
    value = traitlets.Dict()

    # Threads that are at it: those of the page and of the cells may turn dials at the same time.
    _setting: frozenset[int] = frozenset()
    _telling: frozenset[int] = frozenset()

    if TYPE_CHECKING:

        def _decide(self) -> None: ...

    @property
    def dials(self) -> dict[str, Any]:
        """The settings that the API knows."""
        return {name: getattr(self, name) for name in ServerVad.NUMBERS}

    @traitlets.default("value")
    def _default_value(self) -> dict[str, Any]:
        return {"type": "server_vad"} | self.dials

    @traitlets.validate(*SETTINGS)
    def _validate_setting(self, proposal: Any) -> Any:
        """Refuse in the cell that sets it what no endpoint would take."""
        name, value = proposal["trait"].name, proposal["value"]
        if name == "exit_threshold":
            check_rules(value, "high")
        else:
            ServerVad(**{name: value})
        return value

    @traitlets.validate("value")
    def _validate_value(self, proposal: Any) -> Any:
        vad = ServerVad(
            **{name: proposal["value"].get(name, getattr(self, name)) for name in ServerVad.NUMBERS}
        )
        return {"type": "server_vad"} | vad.numbers()

    @traitlets.observe(*SETTINGS)
    def _setting_changed(self, _change: Any) -> None:
        if threading.get_ident() not in self._setting:
            self._settle()

    @traitlets.observe("value")
    def _value_changed(self, change: Any) -> None:
        if threading.get_ident() in self._telling:
            # Observers that come after this one may set it to something else.
            self._telling -= {threading.get_ident()}
        else:
            self._set({name: change["new"][name] for name in ServerVad.NUMBERS})

    def _set(self, settings: dict[str, Any]) -> None:
        """Set several settings and decide once."""
        self._setting |= {threading.get_ident()}
        try:
            for name, value in settings.items():
                self.set_trait(name, value)
        finally:
            self._setting -= {threading.get_ident()}
            self._settle()

    def _settle(self) -> None:
        self._decide()
        # Last, so that whoever observes the value finds everything else decided.
        self._telling |= {threading.get_ident()}
        try:
            self.set_trait("value", self.dials)
        finally:
            self._telling -= {threading.get_ident()}
