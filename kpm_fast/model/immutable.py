"""Value semantics for dataclasses that hold arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, ClassVar, NoReturn, TypeVar

import numpy as np

from ..arrays import check_axes, frozen, same
from ..errors import InputError, brief

__all__ = ["FrozenDict", "Value", "array_of", "construct", "unshared"]

_Constructed = TypeVar("_Constructed")
_Key = TypeVar("_Key")
_Item = TypeVar("_Item")


_ELSEWHERE = "by another release of kpm-fast (Result.save keeps clearings for later ones)"


def construct(kind: type[_Constructed], values: dict[str, Any]) -> _Constructed:
    """Build a frozen dataclass from the values of all its fields, which must be valid.

    The dictionary becomes the instance's own. The constructor would set the fields one by one,
    around the lock on ``__setattr__``: for a small book that takes a good part of the time of
    clearing it.
    """
    instance = object.__new__(kind)
    object.__setattr__(instance, "__dict__", values)
    return instance


def unshared(value: Any) -> Any:
    """Return an unpickled field, an array read-only and in memory of its own.

    Pickles may bring their arrays in buffers beside them, which their owner may use again.
    """
    if not isinstance(value, np.ndarray):
        return value
    return frozen(value if value.base is None else value.copy())


def array_of(value: Any, dtype: str, axes: str, sizes: dict[str, int], field: str) -> Any:
    """Return an unpickled array of a type, with axes of the lengths of ``sizes``."""
    kind = np.dtype(dtype)
    if not isinstance(value, np.ndarray) or value.dtype.newbyteorder("<") != kind:
        found = f"{value.dtype} data" if isinstance(value, np.ndarray) else brief(value)
        raise InputError(f"must be an array of {kind.name}, got {found}", field=field)
    check_axes(value, axes, sizes, field)
    return frozen(np.ascontiguousarray(value, dtype=kind.newbyteorder("=")))


class FrozenDict(dict[_Key, _Item]):
    """A dictionary that cannot be changed, in values that cannot. Equal to any with its items."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("it belongs to a value that cannot be changed; dict(...) is a copy")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def _hashable(value: Any) -> Any:
    """Return something with a hash that is equal where a field is equal."""
    if isinstance(value, np.ndarray):
        return value.shape, (value + 0.0).tobytes()  # zeros have one sign
    return value


class Value:
    """Base of frozen dataclasses with arrays: equal by elements, read-only when unpickled."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [item.name for item in fields(self) if item.compare]  # type: ignore[arg-type]
        return all(same(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]  # equal by arrays, which may be large

    def _hash(self) -> int:
        """Return a hash of the fields, for values that are few figures."""
        names = [item.name for item in fields(self) if item.compare]  # type: ignore[arg-type]
        return hash((type(self), *(_hashable(getattr(self, name)) for name in names)))

    #: Counts how often fields have changed their meaning: pickles that state another number, or
    #: none, are refused. 0: never.
    _meaning: ClassVar[int] = 0

    #: The arrays that unpickling checks: type and axes, of which each letter is one length.
    _arrays: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def _sizes(self) -> dict[str, int]:
        """Return the lengths of axes that follow from other fields."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_meaning": self._meaning} if self._meaning else self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if state.pop("_meaning", 0) != self._meaning:
            raise InputError(f"was pickled {_ELSEWHERE}", field=type(self).__name__)
        lacking = [
            item
            for item in fields(self)  # type: ignore[arg-type]
            if item.name not in state
        ]
        state = {**state, **{item.name: item.default for item in lacking}}
        wanting = [name for name, value in state.items() if value is MISSING]
        if wanting:
            raise InputError(
                f"lacks {', '.join(wanting)}: it was pickled {_ELSEWHERE}",
                field=type(self).__name__,
            )
        self.__dict__.update({name: unshared(value) for name, value in state.items()})
        sizes = self._sizes()
        for name, (dtype, axes) in self._arrays.items():
            self.__dict__[name] = array_of(self.__dict__[name], dtype, axes, sizes, name)
