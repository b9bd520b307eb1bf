"""What PyTorch's spellings of Tensor methods are here: said where code that was brought over fails."""

from __future__ import annotations

from autograd_core.tensor import Tensor

__all__ = ["spelling"]

HERE = {
    "view": "x.reshape(...), and x.size(0) is x.shape[0]",
    "view_as": "x.reshape(y.shape)",
    "contiguous": "x itself",
    "clone": "x.copy()",
    "cpu": "x itself", "cuda": "x itself", "to": "x itself, or x.astype(dtype)", "device": "not needed",
    "float": "x.astype('float32')", "double": "x.astype('float64')", "long": "x.astype('int64')",
    "int": "x.astype('int32')", "bool": "x.astype(bool)", "type_as": "x.astype(y.dtype)",
    "dim": "x.ndim", "numel": "x.size", "t": "x.T", "clamp": "x.clip(low, high)",
    "mm": "x @ y", "bmm": "x @ y", "add": "x + y", "sub": "x - y", "mul": "x * y", "div": "x / y",
    "eq": "x == y", "ne": "x != y", "gt": "x > y", "ge": "x >= y", "lt": "x < y", "le": "x <= y",
    "masked_fill": "np.where(mask, value, x)", "expand": "np.broadcast_to(x, shape)",
    "expand_as": "np.broadcast_to(x, y.shape)", "gather": "np.take_along_axis(x, index, axis)",
    "index_select": "np.take(x, index, axis)", "chunk": "np.array_split(x, n, axis)",
    "split": "np.split(x, places, axis)", "unbind": "list(x)", "sort": "np.sort(x, axis)",
    "roll": "np.roll(x, shift, axis)", "tril": "np.tril(x)", "triu": "np.triu(x)",
    "add_": "x += y", "mul_": "x *= y", "zero_": "x[...] = 0", "fill_": "x[...] = value",
}  # fmt: skip
KEYWORDS = {"dim": "axis", "keepdim": "keepdims", "unbiased": "ddof"}


def spelling(error: Exception) -> str:
    """Return a note on an error that a PyTorch name made; an empty text if none did.

    >>> import autograd_core as ag
    >>> try:
    ...     ag.tensor([1.0, 2.0]).view(2, 1)
    ... except AttributeError as error:
    ...     print(spelling(error))
    PyTorch's x.view is x.reshape(...), and x.size(0) is x.shape[0] here
    """
    if isinstance(error, AttributeError):
        found = HERE.get(str(error.name)) if isinstance(error.obj, Tensor) else None
        return f"PyTorch's x.{error.name} is {found} here" if found else ""
    if isinstance(error, TypeError):
        for theirs, ours in KEYWORDS.items():
            if f"unexpected keyword argument '{theirs}'" in str(error):
                return f"PyTorch's {theirs}= is {ours}= in methods of arrays and Tensors"
    return ""
