"""The error function, the gamma function and their kind: SciPy's values, gradients to second order."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.ops import borrowed, reciprocals

SCIPY = importlib.util.find_spec("scipy") is not None
needs_scipy = pytest.mark.skipif(not SCIPY, reason="SciPy is not installed: its special functions are needed")
X = np.array([0.05, 0.3, 0.7, 1.0, 1.9, 2.5, 7.3, 11.9, 12.1, 40.0])
S = np.concatenate([-X[:6], [0.0], X])
U = np.array([-0.999999, -0.9, -0.5, -1e-9, 0.0, 1e-300, 0.3, 0.49999, 0.50001, 0.97, 1 - 1e-15])
P = (U + 1) / 2
NEAR = np.array([0.4, 0.7, 1.3])
ALWAYS: dict[str, tuple[Any, tuple[Any, ...]]] = {  # which work without SciPy too
    "erf": (ag.erf, (S,)), "erfc": (ag.erfc, (S / 2,)), "ndtr": (ag.ndtr, (S,)), "expit": (ag.expit, (S,)),
    "log_expit": (ag.log_expit, (S,)), "logit": (ag.logit, (X[:3],)), "xlogy": (ag.xlogy, (S[:10], X)),
    "xlog1py": (ag.xlog1py, (S[:10], X)), "i0": (ag.i0, (S,)), "i1": (ag.i1, (S,)),
}  # fmt: skip
OF_SCIPY: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "erfcx": (ag.erfcx, (np.append(S, [24.9, 25.1, 1e3, -20]),)), "erfinv": (ag.erfinv, (U,)),
    "erfcinv": (ag.erfcinv, (U + 1,)), "log_ndtr": (ag.log_ndtr, (S * 10,)), "ndtri": (ag.ndtri, (P[1:],)),
    "entr": (ag.entr, (S,)), "rel_entr": (ag.rel_entr, (X, X[::-1])), "kl_div": (ag.kl_div, (X, X[::-1])),
    "gamma": (ag.gamma, (np.append(X, [-0.5, -1.7]),)), "rgamma": (ag.rgamma, (np.append(X, [-0.5, -2.0]),)),
    "gammaln": (ag.gammaln, (np.append(X, [1e5, -0.5, -2.2]),)), "loggamma": (ag.loggamma, (X,)),
    "gammasgn": (ag.gammasgn, (S - 0.01,)),
    "digamma": (ag.digamma, (np.append(X, [1e6, -0.5, -3.7, 0.001]),)), "psi": (ag.psi, (X,)),
    "zeta": (ag.zeta, (X + 1, X[::-1])), "beta": (ag.beta, (X, X[::-1])), "betaln": (ag.betaln, (X, X[::-1])),
    "gammainc": (ag.gammainc, (X, X[::-1])), "gammaincc": (ag.gammaincc, (X, X[::-1])),
    "betainc": (ag.betainc, (X, X[::-1], P[1:])), "betaincc": (ag.betaincc, (X, X[::-1], P[1:])),
    "stdtr": (ag.stdtr, (X, S[:10])),
}  # fmt: skip
FUNCTIONS = ALWAYS | OF_SCIPY
CONSTANT = {  # how many inputs, from the first, have no derivative
    "gammainc": 1, "gammaincc": 1, "betainc": 2, "betaincc": 2, "stdtr": 1, "zeta": 1,
}  # fmt: skip
every = pytest.mark.parametrize("name", FUNCTIONS if SCIPY else ALWAYS)


@needs_scipy
@every
def test_values_are_scipys(name: str) -> None:
    special = pytest.importorskip("scipy.special", reason="SciPy gives the values")
    f, arrays = FUNCTIONS[name]
    expected = getattr(special, name)(*arrays)
    np.testing.assert_allclose(f(*arrays), expected, rtol=1e-13, atol=1e-15)
    if name == "gammasgn":
        return
    n = CONSTANT.get(name, 0)
    ts = [a if i < n else ag.tensor(a, requires_grad=True) for i, a in enumerate(arrays)]
    np.testing.assert_allclose(f(*ts).detach().numpy(), expected, rtol=1e-13, atol=1e-15)
    small = f(*(a.astype("f4") if i < n else ag.tensor(a.astype("f4"), requires_grad=True)
                for i, a in enumerate(arrays)))  # fmt: skip
    assert small.dtype == np.float32
    theirs = getattr(special, name)(*ts)
    assert type(theirs) is ag.Tensor, "SciPy's own function takes Tensors"
    np.testing.assert_array_equal(theirs.detach().numpy(), f(*ts).detach().numpy())
    theirs.sum().backward()
    assert all(t.grad is not None for t in ts[n:])


@every
def test_gradients(name: str) -> None:
    if name == "gammasgn":
        x = ag.tensor(NEAR, requires_grad=True)
        assert type(ag.gammasgn(x)) is np.ndarray
        return
    f, arrays = FUNCTIONS[name]
    n = CONSTANT.get(name, 0)
    given = [NEAR + 0.3 * i for i in range(len(arrays))]
    if name in ("betainc", "betaincc", "erfinv", "logit", "ndtri"):
        given[-1] = NEAR / 2
    fixed = [v + 1 for v in given[:n]] if name == "zeta" else given[:n]
    ag.check_gradients(lambda *xs: f(*fixed, *xs), *given[n:], order=2)


@needs_scipy
@pytest.mark.parametrize("n", [0, 1, 2, 3, 7])
def test_polygamma(n: int) -> None:
    special = pytest.importorskip("scipy.special")
    x = np.append(X, [-0.5, -3.7])
    np.testing.assert_allclose(ag.polygamma(n, x), special.polygamma(n, x), rtol=1e-13)
    assert ag.polygamma(n, x.astype("f4")).dtype == np.float32
    ag.check_gradients(lambda x: ag.polygamma(n, x), NEAR + 1, order=2)
    with pytest.raises(ValueError, match=r"\[polygamma\] got n=1.5"):
        ag.polygamma(1.5, x)


@needs_scipy
def test_multigammaln() -> None:
    special = pytest.importorskip("scipy.special")
    for d in (1, 2, 3):
        np.testing.assert_allclose(ag.multigammaln(X[4:], d), special.multigammaln(X[4:], d), rtol=1e-13)
    np.testing.assert_allclose(ag.multigammaln(X[5:], 5), special.multigammaln(X[5:], 5), rtol=1e-13)
    assert ag.multigammaln(X[4:].astype("f4"), 2).dtype == np.float32
    ag.check_gradients(lambda a: ag.multigammaln(a, 3), NEAR + 1, order=2)
    for a, d, text in ((X, 0, "d=0"), (X, 3, "numbers above")):
        with pytest.raises(ValueError, match=rf"\[multigammaln\] got .*{text}"):
            ag.multigammaln(a, d)


@needs_scipy
@pytest.mark.parametrize("name", CONSTANT)
def test_shapes_are_refused_where_their_derivative_is_asked_for(name: str) -> None:
    f, arrays = FUNCTIONS[name]
    for i in range(CONSTANT[name]):
        given = [ag.tensor(a, requires_grad=True) if i == k else a for k, a in enumerate(arrays)]
        with pytest.raises(ag.NotDifferentiableError, match="a shape parameter that is being differentiated"):
            f(*given)
        with pytest.raises(ag.NotDifferentiableError, match="a shape parameter"):
            ag.jvp(lambda a, given=given, i=i: f(*given[:i], a, *given[i + 1 :]), (arrays[i],), (arrays[i],))
        with ag.no_grad():
            np.testing.assert_array_equal(np.asarray(f(*given)), f(*arrays))


@needs_scipy
def test_poles_and_ends() -> None:
    assert ag.erfinv(1.0) == math.inf
    assert ag.erfinv(-1.0) == -math.inf
    assert np.isnan(ag.erfinv(1.5))
    assert ag.gamma(0.0) == math.inf
    assert np.isnan(ag.gamma(-1.0))
    assert ag.gamma(200.0) == math.inf
    assert ag.gammaln(-3.0) == math.inf
    assert ag.erfcx(-30.0) == math.inf
    assert np.isnan(ag.digamma(-2.0))
    hazard = ag.grad(ag.grad(ag.log_ndtr))  # -1 + 1/x^2 - 6/x^4 far below 0
    np.testing.assert_allclose([hazard(-1e3), hazard(-1e150)], [-1 + 1e-6 - 6e-12, -1], rtol=1e-13)


def test_zero_times_the_logarithm_of_zero() -> None:
    x = ag.tensor([0.0, 0.0, 2.0], dtype=np.float64, requires_grad=True)
    y = ag.tensor([0.0, 3.0, 3.0], dtype=np.float64, requires_grad=True)
    ag.xlogy(x, y).sum().backward()
    np.testing.assert_allclose(y.grad, [0.0, 0.0, 2 / 3])
    np.testing.assert_allclose(x.grad, [-math.inf, math.log(3), math.log(3)])


@needs_scipy
def test_gradients_are_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch gives the gradients")
    special = torch.special
    for ours, theirs in ((ag.erf, torch.erf), (ag.erfc, torch.erfc), (ag.erfinv, torch.erfinv),
                         (ag.erfcx, special.erfcx), (ag.gammaln, torch.lgamma), (ag.logit, torch.logit),
                         (ag.ndtr, special.ndtr), (ag.ndtri, special.ndtri), (ag.log_ndtr, special.log_ndtr),
                         (lambda x: ag.gammainc(1.5, x),
                          lambda x: special.gammainc(0 * x.detach() + 1.5, x)),
                         (lambda x: ag.multigammaln(x + 1, 2), lambda x: torch.mvlgamma(x + 1, 2)),
                         (ag.entr, special.entr), (ag.i1, special.i1)):  # fmt: skip
        x = np.array([0.1, 0.45, 0.8])
        t = torch.tensor(x, requires_grad=True)
        theirs(t).sum().backward()
        np.testing.assert_allclose(ag.grad(lambda x: ours(x).sum())(x), t.grad, rtol=1e-11)  # noqa: B023


def test_without_scipy() -> None:
    """A copy of Python that cannot import it: what stays is right, what does not names the extra."""
    program = """
import sys
sys.modules["scipy"] = None  # as if it were not installed
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "scipy" else find_spec(name, *a)
import math
import numpy as np
import autograd_core as ag
x = np.array([-1.5, 0.3, 2.0])
for f, g in ((ag.erf, math.erf), (ag.erfc, math.erfc)):
    assert np.allclose(f(x), [g(v) for v in x], rtol=1e-15)
    assert f(x.astype("f4")).dtype == np.float32
    ag.check_gradients(f, x, order=2)
ag.check_gradients(ag.ndtr, x, order=2)
assert "+SKIP" in ag.gamma.__doc__ and "+SKIP" not in ag.erf.__doc__
try:
    ag.gamma(x)
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == (
        "[gamma] got no SciPy, expected SciPy to be installed; try pip install 'autograd-core[scipy]'"
    )


@needs_scipy
def test_scipy_is_imported_when_first_needed() -> None:
    program = """
import sys
import autograd_core as ag
assert ag.stats and ag.random
print("scipy" in sys.modules, ag.gamma(3.0), "scipy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "2.0", "True"]


@needs_scipy
def test_only_scipys_own_ufuncs_are_answered() -> None:
    special = pytest.importorskip("scipy.special")
    t = ag.tensor(NEAR, requires_grad=True)
    with pytest.raises(ag.NotDifferentiableError, match=r"\[jv\] got a Tensor that is being differentiated"):
        special.jv(1.0, t)
    other = np.frompyfunc(lambda x: x, 1, 1)
    assert borrowed.of_scipy(other) is None
    assert borrowed.of_scipy(SimpleNamespace(__name__="erf")) is None, "another library's of that name"
    assert borrowed.of_scipy(special.erf) is ag.erf
    assert borrowed.of_scipy(special.jv) is None


INVERSE = {"arccot": "cot", "arcsec": "sec", "arccsc": "csc", "arccoth": "coth", "arccsch": "csch",
           "arcsech": "sech"}  # fmt: skip
OF = {"cot": np.tan, "sec": np.cos, "csc": np.sin, "coth": np.tanh, "csch": np.sinh, "sech": np.cosh}


@pytest.mark.parametrize("name", reciprocals.__all__)
def test_reciprocals(name: str) -> None:
    f = getattr(ag, name)
    if name in OF:
        points = np.array([-1.2, 0.4, 2.0])
        np.testing.assert_allclose(f(points), 1 / OF[name](points), rtol=1e-15)
    else:
        points = {"arcsech": np.array([0.2, 0.5, 0.9]), "arccot": np.array([-2.0, 0.3, 3.0])}.get(
            name, np.array([-3.0, 1.2, 2.0]))  # fmt: skip
        np.testing.assert_allclose(getattr(ag, INVERSE[name])(f(points)), points, rtol=1e-14)
    ag.check_gradients(f, points, order=2)
    assert f(points.astype("f4")).dtype == np.float32
    whole = 1 if name == "arcsech" else 2
    np.testing.assert_allclose(f(whole), f(float(whole)))
    mygrad = pytest.importorskip("mygrad", reason="MyGrad gives the values")
    if hasattr(mygrad, name):
        np.testing.assert_allclose(f(points), getattr(mygrad, name)(points).data, rtol=1e-14)


def test_arccot_in_the_middle() -> None:
    np.testing.assert_allclose(ag.arccot(np.array([0.0, 1e300, -1e300])), [math.pi / 2, 0, 0], atol=1e-299)
    ag.check_gradients(ag.arccot, np.array([1e-3, 1e-4]))
    assert ag.grad(ag.arccot)(0.0) == -1
