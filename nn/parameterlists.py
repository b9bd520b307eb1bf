"""Parameters in a list or a dictionary, as attributes of a module with names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

import numpy as np

from autograd_core.errors import message
from autograd_core.tensor import Parameter, Tensor

from .module import Module
from .named import Named

__all__ = ["ParameterDict", "ParameterList"]


def _parameter(value: Any, who: str) -> Parameter:
    """Return a Parameter; an array or a Tensor becomes one."""
    if isinstance(value, Parameter):
        return value
    if isinstance(value, (np.ndarray, Tensor)):
        return Parameter(value)
    raise TypeError(message(who, f"a {type(value).__name__}", "a Parameter, a Tensor or an array",
                            "nn.Parameter(value)"))  # fmt: skip


class ParameterList(Module):
    """Parameters in a list, to be used as the owner's ``forward`` likes.

    Args:
        values: Parameters, or arrays and Tensors that become Parameters; none by default.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> scales = nn.ParameterList([np.ones(2, np.float32)]).append(np.zeros(3, np.float32))
    >>> scales
    ParameterList()  # 5 parameters: 0 (2,), 1 (3,)
    >>> scales[-1].shape, len(scales)
    ((3,), 2)
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter([self.__dict__[name] for name in self._parameters])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self.__dict__[self._name(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name(index), _parameter(value, type(self).__name__))

    def _name(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(message("ParameterList", f"index {index}", f"one of {len(self)} parameters"))
        return str(index % len(self))

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Add a Parameter at the end."""
        self.register_parameter(str(len(self)), _parameter(value, type(self).__name__))
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several Parameters at the end."""
        if isinstance(values, (np.ndarray, Tensor)):
            raise TypeError(message("ParameterList", f"one {type(values).__name__}", "a list of them",
                                    "append"))  # fmt: skip
        for value in list(values):
            self.append(value)
        return self


class ParameterDict(Named):
    """Parameters by name, to be used as the owner's ``forward`` likes. It has a dictionary's methods.

    Args:
        parameters: a dictionary or pairs of names and Parameters, arrays or Tensors, which become
            Parameters; none by default.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ParameterDict({"gain": np.ones(2, np.float32)}) | {"shift": np.zeros(2, np.float32)}
    ParameterDict()  # 4 parameters: gain (2,), shift (2,)
    """

    owned = "_parameters"

    def __init__(self, parameters: Any = None) -> None:
        super().__init__(parameters)

    def _add(self, name: str, value: Any) -> None:
        self.register_parameter(name, None if value is None else _parameter(value, type(self).__name__))

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._entries))

    def __or__(self, other: Mapping[str, Any]) -> Self:
        both = self.copy()
        both.update(other)
        return both

    def __ror__(self, other: Mapping[str, Any]) -> Self:
        both = type(self)(other)
        both.update(self)
        return both

    def __ior__(self, other: Mapping[str, Any]) -> Self:
        self.update(other)
        return self

    def get(self, key: str, default: Any = None) -> Any:
        """Return a Parameter, or ``default`` where there is none."""
        return self.__dict__[key] if key in self else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return a Parameter; where there is none, it becomes ``default``."""
        if key not in self:
            self[key] = default
        return self[key]

    def popitem(self) -> tuple[str, Any]:
        """Take the last Parameter out, and return its name and itself."""
        if not len(self):
            raise KeyError(message("ParameterDict", "popitem of an empty one", "a Parameter in it"))
        key = next(reversed(self))
        return key, self.pop(key)

    def copy(self) -> Self:
        """Return another one of the same Parameters."""
        return type(self)(self)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> Self:
        """Return a new one with ``default`` under each of the names."""
        return type(self)(dict.fromkeys(keys, default))
