"""A key that must be found nowhere, and a haul of everything that it might have got into."""

from __future__ import annotations

import base64
import copy
import dataclasses
import gzip
import io
import json
import pickle
import pprint
import traceback
import zipfile
from pathlib import Path
from urllib.parse import quote, quote_plus

KEY = "Zx7/qT+9f3b2c1d8e=7a6b5c~Kp4"
"""It looks like no vendor's key, so that no pattern finds it, and reads differently in an address."""


def forms(key=KEY) -> dict[str, bytes]:
    """The key as it may be written: name of the form, and its bytes."""
    raw = key.encode()
    found = {
        "plain": raw,
        "upper case": raw.upper(),
        "url": quote(key, safe="").encode(),
        "url with /": quote(key).encode(),
        "form": quote_plus(key).encode(),
        "json": json.dumps(key)[1:-1].replace("/", "\\/").encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "repr of bytes": " ".join(f"{byte}," for byte in raw).encode(),
        "utf-16": key.encode("utf-16-le"),
        "backwards": raw[::-1],
    }
    for shift in range(3):  # where it begins in what is encoded decides how it looks
        whole = len(raw) - (len(raw) + shift) % 3
        first = (0, 2, 3)[shift]
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            found[f"{name} {shift}"] = encode(b"\0" * shift + raw[:whole])[first:]
    return found


class Haul:
    """Everything that was said, shown or written, by name."""

    def __init__(self):
        self.catch: dict[str, bytes] = {}

    def take(self, name, what):
        """Take bytes or a text; there has to be something."""
        data = what if isinstance(what, bytes) else str(what).encode("utf-8", "surrogateescape")
        assert data, f"{name} is empty, and shows nothing"
        self.catch[name] = self.catch.get(name, b"") + data

    def file(self, path, name=None):
        """Take a file, and what is packed in it."""
        self._unpacked(name or Path(path).name, Path(path).read_bytes())

    def folder(self, path):
        """Take all files below a folder."""
        for file in sorted(p for p in Path(path).rglob("*") if p.is_file() and p.stat().st_size):
            self.file(file, str(file.relative_to(path)))

    def _unpacked(self, name, data):
        self.take(name, data)
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for member in archive.namelist():
                    inner = archive.read(member)
                    if inner:
                        self._unpacked(f"{name}:{member}", inner)
        elif data.startswith(b"\x1f\x8b"):
            self.take(f"{name}:unpacked", gzip.decompress(data))
        elif data.startswith(b"PAR1"):
            from pyarrow import parquet

            table = parquet.read_table(io.BytesIO(data))
            self.take(f"{name}:rows", f"{table.to_pydict()} {table.schema.metadata}")
        elif name.endswith((".json", ".ipynb")):
            self.take(f"{name}:read", f"{json.loads(data)}")

    def error(self, name, error):
        """Take an exception with the locals of all its frames, and all that led to it, shown or not."""
        seen = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            told = traceback.TracebackException.from_exception(error, capture_locals=True)
            self.take(name, "".join(told.format()) + repr(error) + repr(error.__dict__))
            error = error.__cause__ or error.__context__

    def thing(self, name, thing):
        """Take an object in every way in which one is shown, copied or kept."""
        ways = {
            "repr": repr,
            "str": str,
            "format": format,
            "printf": lambda x: "%s %r" % (x, x),  # noqa: UP031 - it is a way of its own
            "pprint": pprint.pformat,
            "json": lambda x: json.dumps({"x": x}, default=repr),
            "vars": lambda x: repr(vars(x)) if hasattr(x, "__dict__") else "none",
            "state": lambda x: repr(x.__getstate__()),
            "fields": lambda x: repr(dataclasses.asdict(x)) if dataclasses.is_dataclass(x) else "none",
            "copy": lambda x: repr(copy.deepcopy(x)) if dataclasses.is_dataclass(x) else "none",
            "widget": lambda x: repr(x.get_state()) if hasattr(x, "get_state") else "none",
            "mime": lambda x: repr(x._repr_mimebundle_()) if hasattr(x, "_repr_mimebundle_") else "none",
            "ipython": _formatted,
        } | {
            f"pickle {p}": lambda x, p=p: pickle.dumps(x, protocol=p)
            for p in range(pickle.HIGHEST_PROTOCOL + 1)
        }
        for way, show in ways.items():
            try:
                self.take(f"{name} by {way}", show(thing))
            except Exception as error:  # refusing is an answer, as long as it says nothing
                self.take(f"{name} by {way}", f"{type(error).__name__}: {error}")

    def check(self, *expected):
        """See that the key is nowhere, and that what was expected was caught."""
        spilt = [
            f"{name}: {form}"
            for name, data in self.catch.items()
            for form, key in forms().items()
            if key in data
        ]
        assert not spilt, spilt
        lacking = [word for word in expected if not any(word.encode() in d for d in self.catch.values())]
        assert not lacking, f"the haul lacks {lacking}"


def _formatted(thing):
    from IPython.core.formatters import DisplayFormatter

    return repr(DisplayFormatter().format(thing))
