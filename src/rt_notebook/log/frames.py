"""Records as a frame: one column a field, its dtype by the field's type."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["frame_of"]

_DTYPES: Final = {
    "float": "float64",
    "float | None": "float64",
    "int": "int64",
    "int | None": "Int64",
    "bool": "bool",
}

_LARGEST: Final = 2**63 - 1


def frame_of(kind: type[Any], records: Sequence[Any]) -> pd.DataFrame:
    """Return one row a record. The dtypes are the same for no records; a missing number is NaN, text NA."""
    import pandas as pd

    columns = {}
    for field in dataclasses.fields(kind):
        values = [getattr(record, field.name) for record in records]
        dtype = _DTYPES.get(str(field.type))
        if dtype in {"int64", "Int64"}:  # sums of what an endpoint claims have no end
            values = [value if value is None else min(value, _LARGEST) for value in values]
        # Strings of Python whatever else is installed: that is what `to_pandas` has as well.
        columns[field.name] = pd.Series(values, dtype=dtype or pd.StringDtype("python"))
    return pd.DataFrame(columns)
