"""The messages between the widgets and their front end; JavaScript reads the same table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "messages.json").read_text(encoding="utf-8"))

TO_KERNEL: dict[str, str] = _TABLE["to_kernel"]
"""Messages that the front end may send, with their fields."""

TO_FRONT: dict[str, str] = _TABLE["to_front"]
"""Messages that the kernel may send, with their fields."""
