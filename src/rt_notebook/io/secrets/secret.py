"""The one type that holds a key."""

from __future__ import annotations

from typing import Any, Never

__all__ = ["Secret"]

_MASK = "***"


class Secret:
    """A key or token that does not show itself: not in a repr, a format, a pickle, a copy or a traceback.

    Only `reveal` gives it out, and only the code that writes it on the wire calls that.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself."""
        return self._value

    def __repr__(self) -> str:
        return _MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("A Secret cannot be pickled: give the key again where it is needed.")
