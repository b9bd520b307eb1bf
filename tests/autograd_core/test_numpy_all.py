"""Every name that NumPy exports is given a Tensor, and a dual number: nothing loses a derivative.

Each function either differentiates (and agrees with differences), or is non-differentiable by
name (plain results, equal to NumPy's), or raises an error that names it. The same holds for the
methods of ufuncs and for ``out=``, ``where=`` and ``dtype=``.
"""

from __future__ import annotations

import io
import re
import types
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.forward import Dual
from autograd_core.primitive import NUMPY

VALUES = np.array([[0.9, 0.2, 0.35], [0.15, 0.8, 0.3], [0.25, 0.1, 0.7]])  # no two are alike
OTHER = np.array([[0.31, 0.5, 0.12], [0.46, 0.22, 0.64], [0.71, 0.61, 0.33]])
INDEX = np.array([[0, 2, 1], [1, 0, 2], [2, 1, 0]])
EYE = np.eye(3, dtype=bool)
for array in (VALUES, OTHER, INDEX, EYE):
    array.flags.writeable = False

# -- how each is called; by default f(t) ---------------------------------------------------------

BINARY = """
    add subtract multiply divide true_divide power pow float_power maximum minimum fmax fmin hypot
    arctan2 atan2 logaddexp logaddexp2 fmod remainder mod floor_divide copysign nextafter heaviside
    greater greater_equal less less_equal equal not_equal logical_and logical_or logical_xor divmod
    matmul dot vdot inner outer kron cross tensordot vecdot isclose allclose array_equal
    array_equiv union1d intersect1d setdiff1d setxor1d isin append trapezoid broadcast_arrays
    shares_memory may_share_memory result_type common_type bitwise_and bitwise_or bitwise_xor
    bitwise_left_shift bitwise_right_shift left_shift right_shift gcd lcm atleast_1d atleast_2d
    atleast_3d polyadd linalg.solve linalg.lstsq linalg.cross linalg.tensordot linalg.matmul
    linalg.vecdot
"""


def written(call: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Let a function write into a copy, and return that."""

    def f(function: Any, t: Any) -> Any:
        target = 1 * t
        call(function, target)
        return target

    return f


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    name: call
    for names, call in {
        BINARY: lambda f, t: f(1 * t, OTHER),
        "einsum_path": lambda f, t: f("ij,jk->ik", t, OTHER),
        "linalg.tensorsolve": lambda f, t: f(t, OTHER[0]),
        "linalg.outer": lambda f, t: f(t[0], OTHER[0]),
        "matvec": lambda f, t: f(t, OTHER[0]),
        "vecmat": lambda f, t: f(OTHER[0], t),
        "ldexp": lambda f, t: f(t, INDEX),
        "polysub polymul polydiv convolve correlate": lambda f, t: f(t[0], OTHER[1]),
        "polyval": lambda f, t: f(t[0], OTHER[1]),
        "polyfit": lambda f, t: f(np.arange(3.0), t[0], 1),
        "polyder polyint roots poly": lambda f, t: f(t[0]),
        # joining
        "concatenate concat stack vstack hstack dstack column_stack row_stack block bmat "
        "linalg.multi_dot": lambda f, t: f([t, OTHER]),
        "ix_ meshgrid": lambda f, t: f(t[0], t[1]),
        "vander diagflat trim_zeros": lambda f, t: f(t[0]),
        "bincount": lambda f, t: f(INDEX[0], t[0]),
        "split array_split vsplit hsplit": lambda f, t: f(t, 3),
        "dsplit": lambda f, t: f(np.reshape(t, (3, 1, 3)), 3),
        "gradient": lambda f, t: f(t[0]),
        # shapes
        "reshape resize": lambda f, t: f(t, (9, 1)),
        "broadcast_to": lambda f, t: f(t, (2, 3, 3)),
        "transpose permute_dims": lambda f, t: f(t, (1, 0)),
        "moveaxis swapaxes rollaxis": lambda f, t: f(t, 0, 1),
        "expand_dims": lambda f, t: f(t, 0),
        "squeeze": lambda f, t: f(t[None]),
        "tile repeat roll": lambda f, t: f(t, 2),
        "pad": lambda f, t: f(t, 1),
        "astype": lambda f, t: f(t, np.float64),
        # choosing
        "where": lambda f, t: f(EYE, t, OTHER),
        "select": lambda f, t: f([EYE], [t]),
        "choose": lambda f, t: f(INDEX, [t, OTHER, OTHER]),
        "piecewise": lambda f, t: f(t, [VALUES > 0.5], [lambda x: x * x, lambda x: x]),
        "extract compress": lambda f, t: f(EYE if f is np.extract else [True, False, True], t),
        "take": lambda f, t: f(t, [0, 2]),
        "take_along_axis": lambda f, t: f(t, INDEX, axis=1),
        "clip": lambda f, t: f(t, 0.12, 0.72),
        "delete": lambda f, t: f(t, 1, axis=0),
        "insert": lambda f, t: f(t, 1, 5.0, axis=0),
        "put": written(lambda f, t: f(t, [0], [1.0])),
        "putmask place": written(lambda f, t: f(t, EYE, [1.0])),
        "put_along_axis": written(lambda f, t: f(t, INDEX[:, :1], 1.0, axis=1)),
        "copyto": written(lambda f, t: f(t, t[0])),
        "fill_diagonal": written(lambda f, t: f(t, 1.0)),
        "searchsorted": lambda f, t: f(t[0], 0.3),
        "digitize": lambda f, t: f(t, [0.0, 0.5, 1.0]),
        "interp": lambda f, t: f([0.5, 1.5], [0.0, 1.0, 2.0], t[0]),
        "argpartition partition": lambda f, t: f(t, 1),
        # statistics
        "percentile nanpercentile": lambda f, t: f(t, 30),
        "quantile nanquantile": lambda f, t: f(t, 0.3),
        "average": lambda f, t: f(t, weights=OTHER),
        "histogram histogram_bin_edges": lambda f, t: f(t, 4),
        "histogram2d": lambda f, t: f(t[0], t[1], 4),
        "histogramdd": lambda f, t: f(t, 2),
        "apply_along_axis": lambda f, t: f(np.sum, 0, t),
        "apply_over_axes": lambda f, t: f(np.sum, t, [0]),
        "einsum": lambda f, t: f("ij,jk->ik", t, OTHER),
        "full_like": lambda f, t: f(t, 2.0),
        "full": lambda f, t: f((3, 3), t),
        "linspace logspace geomspace": lambda f, t: f(t[0], 2.0, 5),
        "fromfunction": lambda f, t: f(lambda i, j: t * t, (3, 3)),
        "fromiter": lambda f, t: f(t[0], float),
        "ravel_multi_index": lambda f, t: f((t, t), (3, 3)),
        "unravel_index": lambda f, t: f(t, (3, 3)),
        "can_cast": lambda f, t: f(t, np.float64),
        "format_float_positional format_float_scientific": lambda f, t: f(t[0, 0]),
        "linalg.matrix_power": lambda f, t: f(t, 3),
        "linalg.tensorinv": lambda f, t: f(np.reshape(t, (3, 3)), ind=1),
        "linalg.cholesky linalg.eigh linalg.eigvalsh": lambda f, t: f(t + t.T + 3 * np.eye(3)),
        "arccosh acosh": lambda f, t: f(t + 1.5),
        "save savez savez_compressed savetxt": lambda f, t: f(io.BytesIO(), t),
        "cumulative_sum cumulative_prod": lambda f, t: f(t, axis=1),
    }.items()
    for name in names.split()
}

# These make, describe, read or set something else; the last two ask for memory, not for an array.
WITHOUT_ARRAYS = """
    arange base_repr binary_repr broadcast_shapes busday_count busday_offset datetime_as_string
    datetime_data diag_indices empty eye fromfile fromregex fromstring frompyfunc genfromtxt
    get_include get_printoptions getbufsize geterr geterrcall identity indices info is_busday
    isdtype issubdtype kaiser load loadtxt mask_indices mintypecode ones printoptions promote_types
    set_printoptions setbufsize seterr seterrcall show_config show_runtime test tri tril_indices
    triu_indices typename zeros bartlett blackman hamming hanning from_dlpack nested_iters
"""


def exported() -> dict[str, Any]:
    """Return all that ``np.__all__`` and ``np.linalg.__all__`` name, by name."""
    out = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few names are deprecated
        for name in np.__all__:
            out[name] = getattr(np, name)
        for name in np.linalg.__all__:
            out[f"linalg.{name}"] = getattr(np.linalg, name)
    return out


def kind_of(name: str, thing: Any) -> str:
    """Tell functions of arrays from all else that NumPy exports."""
    if isinstance(thing, type):
        return "type"
    if isinstance(thing, types.ModuleType):
        return "module"
    if not callable(thing):
        return "constant"
    return "without arrays" if name in WITHOUT_ARRAYS.split() else "function"


EXPORTED = exported()
FUNCTIONS = sorted(name for name, thing in EXPORTED.items() if kind_of(name, thing) == "function")


REFLECTED = [name for name in FUNCTIONS if name in BINARY.split()]  # also called f(OTHER, t)


def call(name: str, t: Any, reflected: bool = False) -> Any:
    f = EXPORTED[name]
    if reflected:
        return f(OTHER, 1 * t)
    return CALLS.get(name, lambda f, t: f(t))(f, t)


def flat(tree: Any) -> list[Any]:
    """Return what nested results hold."""
    if isinstance(tree, (tuple, list)):
        return [leaf for item in tree for leaf in flat(item)]
    return [tree]


def quietly(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let deprecated names and 0/0 pass: they are NumPy's affair."""

    def g(x: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            for kind in (DeprecationWarning, PendingDeprecationWarning, RuntimeWarning):
                warnings.simplefilter("ignore", kind)
            return f(x)

    return g


# -- what may happen -----------------------------------------------------------------------------


def is_clear(error: BaseException | None, name: str) -> bool:
    """Tell whether an error (or what it came from) names the function or the Tensor given to it."""
    while error is not None:
        names = {name, name.rpartition(".")[2], getattr(EXPORTED.get(name), "__name__", name)}
        words = {word.lstrip("_") for word in re.findall(r"\w+", str(error))}
        if isinstance(error, TypeError) and words & {*names, "Tensor", "Dual"}:
            return True  # NotDifferentiableError is a TypeError
        ours = re.match(r"\[\w+\] got", str(error))
        if isinstance(error, (ValueError, NotImplementedError)) and ours:
            return True  # an argument that is not served, in the library's own form
        error = error.__cause__ or error.__context__
    return False


def insist_on_clear(error: Exception, name: str) -> None:
    if not is_clear(error, name):
        raise AssertionError(f"{name} says {type(error).__name__}: {error}") from error


def directions(n: int) -> list[Any]:
    rng = np.random.default_rng(n)
    return [rng.normal(size=VALUES.shape) for _ in range(n)]


def differences(f: Callable[[Any], Any], along: Any, step: float = 1e-6) -> list[Any]:
    """Return the derivative of each result of ``f`` at VALUES in a direction."""
    ahead, behind = (flat(f(VALUES + s * along)) for s in (step, -step))
    return [(np.asarray(a, float) - np.asarray(b, float)) / (2 * step)
            for a, b in zip(ahead, behind, strict=True)]  # fmt: skip


def number(x: Any) -> bool:
    return np.asarray(x).dtype.kind in "biuf"


def same(x: Any, y: Any) -> bool:
    if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
        return x.dtype == y.dtype and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
    return bool(x == y)


def close(got: Any, wanted: Any, what: str, rtol: float = 1e-5) -> None:
    scale = max(1.0, np.abs(wanted).max(initial=0))
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol * scale, err_msg=what)


def unchanged(f: Callable[[Any], Any], results: Any, position: int, what: str) -> None:
    """A plain result among differentiable ones may not depend on the input."""
    moved = flat(f(VALUES + 1e-6 * directions(1)[0]))[position]
    assert same(np.asarray(moved), np.asarray(results[position])), f"{what} lost a derivative"


def judge_tensor(f: Callable[[Any], Any], name: str, constant: bool = False) -> str:
    """Give ``f`` a recorded Tensor, say what happened, and check that it was right."""
    f = quietly(f)
    try:
        plain: Any = flat(f(VALUES.copy()))
    except Exception as error:
        plain = error
    t = ag.tensor(VALUES, requires_grad=True)
    try:
        results = flat(f(t))
    except Exception as error:
        if isinstance(plain, Exception) and isinstance(error, (type(plain), TypeError)):
            return "an error in NumPy too"
        insist_on_clear(error, name)
        return "says it is not differentiable"
    assert not isinstance(plain, Exception), f"{name}: NumPy raises {plain!r}"
    assert same(t.detach().numpy(), VALUES), f"{name} wrote into what was differentiated"
    assert len(results) == len(plain), name
    for r, p in zip(results, plain, strict=True):
        if name != "empty_like":
            value = r.detach().numpy() if isinstance(r, ag.Tensor) else r
            assert same(value, p) or number(p) and np.allclose(value, p, 1e-14, 1e-14), name
        assert np.shape(r) == np.shape(p), name
    tensors = [r for r in results if isinstance(r, ag.Tensor)]
    if not tensors:
        if constant:
            return "non-differentiable by name"
        for i, r in enumerate(results):
            if number(r):
                unchanged(f, results, i, name)
        return "says nothing of values"
    weights = [np.random.default_rng(i).normal(size=np.shape(r)) for i, r in enumerate(results)]
    for i, (r, p) in enumerate(zip(results, plain, strict=True)):
        if isinstance(r, ag.Tensor):
            assert r.grad_fn is not None, name
            assert r.dtype == np.asarray(p).dtype, name
            r.backward(weights[i], retain_graph=True)
        else:
            unchanged(f, results, i, name)
    for along in directions(3):
        wanted = sum(np.vdot(w, d) for w, d, r in zip(weights, differences(f, along), results,
                     strict=True) if isinstance(r, ag.Tensor))  # fmt: skip
        rtol = 1e-5 if tensors[0].dtype == np.float64 else 0.5
        close(np.vdot(t.grad, along), wanted, name, rtol)
    return "differentiates"


def judge_dual(f: Callable[[Any], Any], name: str, constant: bool = False) -> str:
    """Give ``f`` a dual number inside ``jvp``, say what happened, and check that it was right."""
    f = quietly(f)
    try:
        plain: Any = flat(f(VALUES.copy()))
    except Exception as error:
        plain = error
    along, values = directions(1)[0], VALUES.copy()
    seen: list[Any] = []

    def g(x: Any) -> Any:
        seen.extend(flat(f(x)))
        return [r for r in seen if isinstance(r, Dual)]

    try:
        _, tangents = ag.jvp(g, (values,), (along,))
    except Exception as error:
        if isinstance(plain, Exception) and isinstance(error, (type(plain), TypeError)):
            return "an error in NumPy too"
        insist_on_clear(error, name)
        return "says it is not differentiable"
    assert not isinstance(plain, Exception), f"{name}: NumPy raises {plain!r}"
    assert same(values, VALUES), f"{name} wrote into what was differentiated"
    assert len(seen) == len(plain), name
    if not tangents:
        if constant:
            return "non-differentiable by name"
        for i, r in enumerate(seen):
            if number(r):
                unchanged(f, seen, i, name)
        return "says nothing of values"
    wanted = differences(f, along)
    tangents = iter(tangents)
    for i, (r, p) in enumerate(zip(seen, plain, strict=True)):
        if isinstance(r, Dual):
            tangent = next(tangents)
            assert np.shape(tangent) == np.shape(p), name
            close(tangent, wanted[i], name, 1e-5 if r.dtype == np.float64 else 0.5)
        else:
            unchanged(f, seen, i, name)
    return "differentiates"


JUDGES = pytest.mark.parametrize("judge", [judge_tensor, judge_dual], ids=["tensor", "dual"])


def registered(name: str) -> str:
    ours = NUMPY.get(EXPORTED[name], getattr(ag, name, None))
    return "" if ours is None else "constant" if getattr(ours, "constant", False) else "ours"


# -- the walk ------------------------------------------------------------------------------------


@JUDGES
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function(name: str, judge: Any) -> None:
    outcome = judge(lambda t: call(name, t), name, registered(name) == "constant")
    expected = {"constant": {"non-differentiable by name", "an error in NumPy too"},
                "ours": {"differentiates"}}.get(registered(name))  # fmt: skip
    assert expected is None or outcome in expected
    if outcome == "non-differentiable by name" and name != "empty_like":
        f = quietly(lambda x: call(name, x))
        results = flat(f(VALUES))
        for i, r in enumerate(results):
            if number(r):
                unchanged(f, results, i, f"{name}, said to be constant,")
    COUNTS[judge.__name__][outcome] += 1


@JUDGES
@pytest.mark.parametrize("name", REFLECTED)
def test_each_function_in_its_second_argument(name: str, judge: Any) -> None:
    outcome = judge(lambda t: call(name, t, True), name, registered(name) == "constant")
    if registered(name) == "ours":
        assert outcome == "differentiates"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_of_a_constant(name: str) -> None:
    """A Tensor that nothing differentiates is as good as an array, or the error is clear."""
    f = quietly(lambda t: call(name, t))
    try:
        plain = flat(f(VALUES.copy()))
    except Exception:  # an error in NumPy too
        return
    try:
        results = flat(f(ag.tensor(VALUES)))
    except Exception as error:
        insist_on_clear(error, name)
        return
    for r, p in zip(results, plain, strict=True):
        value = r.numpy() if isinstance(r, ag.Tensor) else r
        assert not isinstance(r, ag.Tensor) or not r.requires_grad
        if name != "empty_like" and not callable(p):
            assert same(np.asarray(value), np.asarray(p)) or np.allclose(value, p, 1e-14, 1e-14)


COUNTS: dict[str, Counter[str]] = {"judge_tensor": Counter(), "judge_dual": Counter()}


def test_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Say how much of NumPy there is, of each kind."""
    kinds = Counter(kind_of(name, thing) for name, thing in EXPORTED.items())
    assert kinds.total() == len(np.__all__) + len(np.linalg.__all__)
    with capsys.disabled():
        print(f"\n  np.__all__ and np.linalg.__all__: {dict(kinds)}")
        for judge, counts in COUNTS.items():
            print(f"  given a {judge.removeprefix('judge_')}: {dict(counts)}")
    stale = {n for n in WITHOUT_ARRAYS.split() if n in EXPORTED and EXPORTED[n] in NUMPY}
    assert not stale, f"functions of arrays after all: {stale}"


# -- methods and keywords ------------------------------------------------------------------------

MASK = VALUES > 0.3
UFUNCS = [
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.fmax, np.power,
    np.logaddexp, np.hypot, np.arctan2, np.greater, np.equal, np.logical_and, np.logical_or,
    np.floor_divide, np.copysign, np.matmul, np.sin, np.negative, np.isfinite,
]  # fmt: skip
METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "reduce": lambda u, t: u.reduce(t),
    "reduce 1": lambda u, t: u.reduce(t, 1),
    "reduce axis=-1": lambda u, t: u.reduce(t, axis=-1),
    "reduce axis=None": lambda u, t: u.reduce(t, axis=None),
    "reduce axis=(0, 1)": lambda u, t: u.reduce(t, axis=(0, 1)),
    "reduce keepdims": lambda u, t: u.reduce(t, axis=1, keepdims=True),
    "reduce initial": lambda u, t: u.reduce(t, axis=1, initial=0.4),
    "reduce where": lambda u, t: u.reduce(t, axis=1, where=MASK, initial=0.4),
    "reduce dtype": lambda u, t: u.reduce(t, axis=1, dtype=np.float32),
    "reduce dtype by position": lambda u, t: u.reduce(t, 1, np.float64),
    "reduce out": lambda u, t: u.reduce(t, out=np.zeros(3)),
    "reduce out by position": lambda u, t: u.reduce(t, 0, None, np.zeros(3)),
    "reduce keepdims by position": lambda u, t: u.reduce(t, 0, None, None, True),
    "reduce vector": lambda u, t: u.reduce(t[0]),
    "accumulate": lambda u, t: u.accumulate(t),
    "accumulate 1": lambda u, t: u.accumulate(t, 1),
    "accumulate axis=-1": lambda u, t: u.accumulate(t, axis=-1),
    "accumulate dtype": lambda u, t: u.accumulate(t, dtype=np.float32),
    "accumulate out": lambda u, t: u.accumulate(t, out=np.zeros((3, 3))),
    "reduceat": lambda u, t: u.reduceat(t, [0, 2]),
    "reduceat axis": lambda u, t: u.reduceat(t, [0, 2], axis=1),
    "outer": lambda u, t: u.outer(t, OTHER[0]),
    "outer second": lambda u, t: u.outer(OTHER[0], t),
    "outer both": lambda u, t: u.outer(t[0], t),
    "outer scalar": lambda u, t: u.outer(t, 0.65),
    "outer dtype": lambda u, t: u.outer(t, OTHER[0], dtype=np.float32),
    "at": written(lambda u, t: u.at(t, ([0, 0], [1, 1]), 0.5)),
    "at, added": lambda u, t: u.at(np.ones((3, 3)), [0, 0], t[0]),
    "call": lambda u, t: u(t, OTHER) if u.nin == 2 else u(t),
    "call itself": lambda u, t: u(t, t * t) if u.nin == 2 else u(t * t),
    "call out": lambda u, t: u(*[t, OTHER][: u.nin], out=np.zeros((3, 3))),
    "call out by position": lambda u, t: u(*[t, OTHER][: u.nin], np.zeros((3, 3))),
    "call out=None": lambda u, t: u(*[t, OTHER][: u.nin], out=None),
    "call where": lambda u, t: u(*[t, OTHER][: u.nin], where=MASK)[MASK],
    "call where=True": lambda u, t: u(*[t, OTHER][: u.nin], where=True),
    "call dtype": lambda u, t: u(*[t, OTHER][: u.nin], dtype=np.float32),
    "call dtype=None": lambda u, t: u(*[t, OTHER][: u.nin], dtype=None),
    "call casting": lambda u, t: u(*[t, OTHER][: u.nin], casting="same_kind"),
    "call order": lambda u, t: u(*[t, OTHER][: u.nin], order="C"),
    "call subok": lambda u, t: u(*[t, OTHER][: u.nin], subok=False),
    "call signature": lambda u, t: u(*[t, OTHER][: u.nin], signature="dd->d"[2 - u.nin :]),
    "call a wrong keyword": lambda u, t: u(*[t, OTHER][: u.nin], wrong=1),
    "call with too much": lambda u, t: u(t, OTHER, OTHER, OTHER),
}


@JUDGES
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda u: u.__name__)
def test_ufunc_methods(ufunc: np.ufunc, method: str, judge: Any) -> None:
    """Right, or refused by name: never a plain array where a derivative was meant."""
    constant = getattr(NUMPY.get(ufunc), "constant", False)
    word = method.split()[0]
    outcome = judge(lambda t: METHODS[method](ufunc, t), ufunc.__name__, constant)
    if word == "call" and method in ("call", "call itself") and NUMPY.get(ufunc) and not constant:
        assert outcome == "differentiates"
    if constant and word != "call":
        assert outcome != "differentiates"


def test_what_ufunc_methods_differentiate() -> None:
    """These are promised: the others may say that they are not differentiable."""
    promised = [
        *((u, m) for u in (np.add, np.multiply, np.maximum, np.minimum)
          for m in METHODS if m in ("reduce", "reduce 1", "reduce axis=-1", "reduce axis=None",
                                    "reduce axis=(0, 1)", "reduce keepdims", "reduce vector")),
        *((u, m) for u in UFUNCS[:11] for m in METHODS if m in (
            "outer", "outer second", "outer both", "outer scalar", "call dtype", "call out=None",
            "call dtype=None")),
        *((np.add, m) for m in ("accumulate", "accumulate 1", "accumulate axis=-1")),
    ]  # fmt: skip
    for ufunc, method in promised:
        outcome = judge_tensor(lambda t, u=ufunc, m=method: METHODS[m](u, t), ufunc.__name__)
        assert outcome == "differentiates", f"{ufunc.__name__}: {method}"


KEYWORDS: dict[str, Callable[[Any], Any]] = {
    text: eval(f"lambda t: {text}", {"np": np, "MASK": MASK, "OTHER": OTHER, "EYE": EYE})
    for text in """
    np.sum(a=t)
    np.take(a=t, indices=[0, 2], axis=1)
    np.clip(a=t, a_min=0.22, a_max=0.6)
    np.sum(t, 0)
    np.sum(t, axis=(0, -1))
    np.sum(t, 1, np.float64)
    np.sum(t, axis=1, dtype=np.float32)
    np.sum(t, axis=1, where=MASK)
    np.sum(t, axis=1, initial=2.0)
    np.sum(t, axis=1, out=np.zeros(3))
    np.sum(t, 1, None, None, True)
    np.sum(t, keepdims=True)
    np.mean(t, axis=1, where=MASK)
    np.mean(t, axis=1, dtype=np.float32)
    np.mean(t, axis=1, out=np.zeros(3))
    np.mean(t, 1, None, None, True)
    np.max(t, axis=1, initial=0.5)
    np.max(t, axis=1, initial=0.5, where=MASK)
    np.max(t, axis=1, out=np.zeros(3))
    np.max(t, 1, None, True)
    np.min(t, axis=1, initial=0.5)
    np.prod(t, axis=1, initial=0.5)
    np.prod(t, axis=1, where=MASK)
    np.prod(t, axis=1, dtype=np.float32)
    np.prod(t, 1, np.float64)
    np.var(t, axis=1, where=MASK)
    np.var(t, axis=1, ddof=1)
    np.var(t, axis=1, correction=1)
    np.var(t, 1, np.float64)
    np.var(t, 1, None, None, 1)
    np.std(t, axis=1, ddof=1, keepdims=True)
    np.std(t, axis=1, dtype=np.float32)
    np.std(t, axis=1, mean=np.mean(t, axis=1, keepdims=True))
    np.cumsum(t, axis=1, dtype=np.float32)
    np.cumsum(t, 1, np.float64)
    np.cumsum(t, axis=1, out=np.zeros((3, 3)))
    np.ptp(t, axis=1, keepdims=True)
    np.ptp(t, 1, np.zeros(3))
    np.any(t, axis=1, where=MASK)
    np.argmax(t, axis=1, keepdims=True)
    np.clip(t, 0.22, 0.6, out=np.zeros((3, 3)))
    np.clip(t, None, 0.6)
    np.clip(t, 0.22, None)
    np.clip(t, min=0.22)
    np.clip(t, a_min=0.22, a_max=0.6)
    np.clip(t, 0.22, 0.6, dtype=np.float64)
    np.clip(OTHER, t, t + 1)
    np.round(t, decimals=1)
    np.round(t, 1, out=np.zeros((3, 3)))
    np.concatenate([t, OTHER], axis=1, dtype=np.float32)
    np.concatenate([t, OTHER], 1)
    np.concatenate([t, OTHER], axis=None)
    np.concatenate([t, OTHER], out=np.zeros((6, 3)))
    np.concatenate((OTHER, t), casting="same_kind")
    np.concatenate(t)
    np.stack([t, OTHER], axis=-1)
    np.stack([t, OTHER], out=np.zeros((2, 3, 3)))
    np.stack([t, OTHER], dtype=np.float32)
    np.stack(t)
    np.vstack([t, OTHER], dtype=np.float32)
    np.hstack((t[0], t[1]))
    np.reshape(t, (9,), order="F")
    np.reshape(t, shape=(9,))
    np.reshape(t, (9,), "C")
    np.reshape(t, (9,), copy=True)
    np.reshape(t, -1)
    np.ravel(t, order="F")
    np.ravel(t, "K")
    np.transpose(t, axes=(1, 0))
    np.transpose(t, [-1, 0])
    np.swapaxes(t, axis1=0, axis2=-1)
    np.moveaxis(t, [0, 1], [1, 0])
    np.broadcast_to(t, (2, 3, 3), subok=True)
    np.broadcast_arrays(t, OTHER[0], subok=True)
    np.copy(t, order="F")
    np.copy(t, "K", True)
    np.astype(t, np.int64)
    np.astype(t, np.float32, copy=False)
    np.repeat(t, [1, 0, 2], axis=0)
    np.repeat(t, 2)
    np.tile(t, (2, 1, 2))
    np.roll(t, (1, -1), axis=(0, 1))
    np.flip(t, (0, 1))
    np.pad(t, ((1, 0), (0, 2)))
    np.pad(t, 1, mode="edge")
    np.pad(t, 1, constant_values=((1, 2), (3, 4)))
    np.pad(t, 1, "constant", constant_values=0.5)
    np.pad(OTHER, 1, constant_values=t[0, 0])
    np.where(MASK, t, 0.0)
    np.where(t > 0.33, t * t, -t)
    np.where(t)
    np.where(MASK, OTHER, t[0, 0])
    np.take(t, [0, -1], axis=1)
    np.take(t, [[0, 4]], mode="wrap")
    np.take(t, [0, 7], axis=0, mode="clip")
    np.take(t, [0], out=np.zeros(1))
    np.take(t, 1)
    np.sort(t, axis=None)
    np.sort(t, axis=0, kind="stable")
    np.sort(t, 0, "quicksort")
    np.sort(t, order=None)
    np.squeeze(t[None], axis=0)
    np.expand_dims(t, (0, -1))
    np.split(t, [1], axis=1)
    np.array_split(t, 2, axis=-1)
    np.array_split(t, np.array([1, 2]))
    np.diag(t)
    np.diag(t[0], k=1)
    np.diagonal(t, offset=1)
    np.trace(t, offset=-1, dtype=np.float64)
    np.trace(t, out=np.zeros(()))
    np.tril(t, k=-1)
    np.triu(t[0])
    np.dot(t, OTHER, out=np.zeros((3, 3)))
    np.matmul(t, OTHER, out=np.zeros((3, 3)))
    np.matmul(t, OTHER, axes=[(0, 1), (0, 1), (0, 1)])
    np.matmul(t, OTHER, dtype=np.float32)
    np.inner(t, OTHER[0])
    np.outer(t, OTHER[0], out=np.zeros((9, 3)))
    np.tensordot(t, OTHER, axes=([0, 1], [1, 0]))
    np.tensordot(t, OTHER, 0)
    np.einsum("ij,jk", t, OTHER, out=np.zeros((3, 3)))
    np.einsum("ij->ji", t, dtype=np.float64)
    np.einsum("ij,jk->ik", t, OTHER, optimize=True)
    np.einsum("ii", t)
    np.einsum(t, [0, 1], OTHER, [1, 2], [0, 2])
    np.vecdot(t, OTHER, axis=0)
    np.kron(t[0], OTHER)
    np.linalg.norm(t, ord=1)
    np.linalg.norm(t, ord=2)
    np.linalg.norm(t, "nuc")
    np.linalg.norm(t, 3, axis=1)
    np.linalg.norm(t, axis=(0, 1), keepdims=True)
    np.full_like(t, 2.0, dtype=np.float32)
    np.zeros_like(t, shape=(2,))
    np.full_like(OTHER, t)
    np.array_equal(t, OTHER, equal_nan=True)
    np.searchsorted(np.sort(OTHER[0]), t)
    np.atleast_1d(t[0, 0])
    np.asarray([t, t])
    np.array([t[0, 0], t[0, 1]])
    np.array([[t[0, 0], 1.0]])
    np.array(t, copy=False)
    np.array(t, dtype=object)
    np.asarray(t, dtype=np.float32)
    np.float64(t[0, 0])
    np.float32(t)
    np.add(OTHER, t, out=1 * t)
    np.sin(t, out=1 * t)
    np.add(OTHER, 1, where=t)
    OTHER.copy() + t
    OTHER[0, 0] * t
    OTHER @ t
    OTHER.dot(t)
    OTHER.copy().__iadd__(t)
    OTHER.copy().__setitem__(0, t[0])
    OTHER.copy().fill(t[0, 0])
    np.ndarray.sum(t)
    np.copyto(OTHER.copy(), t, where=MASK)
    np.put(OTHER.copy(), [0], t[0, 0])
    np.place(OTHER.copy(), MASK, t[0])
    np.fill_diagonal(OTHER.copy(), t[0])
    np.put_along_axis(OTHER.copy(), np.array([[0]]), t[0, 0], 1)
    np.fromiter(t[0], float)
    np.vectorize(lambda x: x * x)(t)
    np.apply_along_axis(lambda r: r.sum(), 1, t)
    np.piecewise(OTHER, [MASK], [lambda x: x * t[0, 0]])
    np.interp(t, [0.0, 1.0], [0.0, 2.0])
    np.ndenumerate(t)
    np.broadcast(t, OTHER)
    np.matrix(t)
    np.r_[t[0], 1.0]
    np.c_[t[0], t[1]]
    np.lib.stride_tricks.sliding_window_view(t, 2, axis=0)
    np.lib.stride_tricks.as_strided(t, (3,), (8,))
    np.fft.fft(t)
    np.emath.sqrt(t)
    np.random.default_rng(0).normal(t, 1.0)
    np.ma.masked_array(t)
    np.polynomial.polynomial.polyval(t, OTHER[0])
    float(t[0, 0])
    int(t[0, 0])
    complex(t[0, 0])
    t[0, 0].item()
    t.tolist()
    divmod(t, OTHER)
    t // OTHER
    round(t)
    abs(t)
    t % OTHER
    OTHER % t
    t & True
    t << 1
    ~t
    """.strip().splitlines()
    for text in [text.strip()]
}
HONEST = {"t[0, 0].item()", "t.tolist()"}  # they say that they leave the graph


@JUDGES
@pytest.mark.parametrize("text", KEYWORDS)
def test_keywords(text: str, judge: Any) -> None:
    """Arguments beyond the first: used and differentiated, or refused; never ignored."""
    if text in HONEST:
        return
    try:
        quietly(KEYWORDS[text])(VALUES.copy())
    except TypeError as error:
        if "unexpected keyword" in str(error):  # an older NumPy does not know it
            return
    except Exception as error:  # the judge will compare it
        del error
    name = re.findall(r"np\.([a-z.]*[A-Za-z_]+\w*)\(|$", text)[0] or "operator"
    constant = name in EXPORTED and registered(name) == "constant"
    judge(KEYWORDS[text], name, constant or "//" in text or text.startswith("round"))
