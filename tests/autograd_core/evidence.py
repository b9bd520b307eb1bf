"""What is compared with PyTorch, by our names: gathered from the tables of the tests that do it."""

from __future__ import annotations

from . import opinfo

OURS = {  # PyTorch's names of what NumPy calls otherwise
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh",
    "atan": "arctan", "atan2": "arctan2", "atanh": "arctanh", "add": "add", "amax": "max", "amin": "min",
    "broadcast_tensors": "broadcast_arrays", "cat": "concatenate", "clamp": "clip", "clone": "copy",
    "constant_pad_nd": "pad", "deg2rad": "radians", "div/no_rounding_mode": "divide", "double": "astype",
    "linalg.eigvalsh": "eigvalsh", "matrix_exp": "expm", "meshgrid/variadic_tensors": "meshgrid",
    "movedim": "moveaxis", "mul": "multiply", "mT": "matrix_transpose", "mv": "matvec", "neg": "negative",
    "permute": "transpose", "select": "getitem", "pow": "power", "rad2deg": "degrees",
    "repeat_interleave": "repeat",
    "masked_select": "extract", "sub": "subtract", "take_along_dim": "take_along_axis", "ravel": "ravel",
    "tensor_split": "array_split", "transpose": "swapaxes", "unbind": "unstack", "unfold":
    "sliding_window_view", "unsqueeze": "expand_dims", "nn.functional.softplus": "softplus",
    "nn.functional.relu": "relu", "nn.functional.conv1d": "correlate", "kthvalue": "partition",
}  # fmt: skip


def compared() -> set[str]:
    """Return our names of the operations of PyTorch's own sample calls."""
    return {OURS.get(name, name.removeprefix("linalg.")) for name in opinfo.table()}
