"""The densities of ``ag.stats``: SciPy's values, gradients to second order, PyTorch's; what is outside."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.stats import families, univariate

SCIPY = importlib.util.find_spec("scipy") is not None
needs_scipy = pytest.mark.skipif(not SCIPY, reason="SciPy is not installed: its special functions are needed")
SHAPES: dict[str, tuple[float, ...]] = {
    "norm": (), "laplace": (), "logistic": (), "cauchy": (), "expon": (), "uniform": (), "t": (3.5,),
    "lognorm": (0.7,), "gamma": (1.7,), "invgamma": (2.2,), "chi2": (3.0,), "beta": (1.5, 2.5),
    "f": (3.0, 5.0), "weibull_min": (1.3,), "pareto": (1.2,),
}  # fmt: skip
DISCRETE: dict[str, tuple[float, ...]] = {
    "bernoulli": (0.3,), "binom": (5, 0.3), "poisson": (1.7,), "geom": (0.3,), "nbinom": (2.5, 0.4),
}  # fmt: skip
OF_SCIPY = {"t", "gamma", "invgamma", "chi2", "beta", "f"}  # and logcdf and logsf of:
LOG_NDTR = {"norm", "lognorm"}
METHODS = ["logpdf", "pdf", "cdf", "sf", "logcdf", "logsf"]
X = np.array([-3.0, -1.0, 0.0, 0.2, 0.7, 1.0, 2.0, 40.0, math.nan, -math.inf])
K = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 1.5, 7.0, math.nan])
NO_SHAPE = OF_SCIPY  # their cdf is not differentiated in the shapes
every = pytest.mark.parametrize("name", SHAPES)


def need_scipy(name: str, method: str) -> None:
    if not SCIPY and (name in OF_SCIPY or (name in LOG_NDTR and method in ("logcdf", "logsf"))):
        pytest.skip("SciPy is not installed: its special functions are needed")


def inside(name: str) -> np.ndarray:
    """Return points between the ends of the support moved by 0.1 and scaled by 1.4."""
    z = {"beta": [0.2, 0.5, 0.8], "uniform": [0.2, 0.5, 0.8], "pareto": [1.3, 1.9, 4.0]}
    real = [-1.3, 0.4, 2.0] if name in ("norm", "laplace", "logistic", "cauchy", "t") else [0.3, 0.9, 2.0]
    return 0.1 + 1.4 * np.array(z.get(name, real))


def test_every_family_stands_here() -> None:
    found = {n: v for n, v in vars(univariate).items() if isinstance(v, families.Family)}
    assert {n for n, v in found.items() if isinstance(v, families.Continuous)} == set(SHAPES)
    assert {n for n, v in found.items() if isinstance(v, families.Discrete)} == set(DISCRETE)
    assert all(v.name == n for n, v in found.items())


@needs_scipy
@every
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("moved", [(), (0.1, 1.4), (0.1, -1.0), (0.1, 0.0)])
def test_values_are_scipys(name: str, method: str, moved: tuple[float, ...]) -> None:
    stats = pytest.importorskip("scipy.stats")
    ours, theirs = getattr(ag.stats, name), getattr(stats, name)
    with np.errstate(all="ignore"):
        expected = getattr(theirs, method)(X, *SHAPES[name], *moved)
    got = getattr(ours, method)(X, *SHAPES[name], *moved)
    np.testing.assert_allclose(got, expected, rtol=2e-13, atol=1e-300)
    assert type(got) is np.ndarray
    names = dict(zip((*ours.shapes, "loc", "scale"), (*SHAPES[name], *moved), strict=False))
    np.testing.assert_array_equal(getattr(ours, method)(x=X, **names), got)
    one = getattr(ours, method)(0.7, *SHAPES[name])
    assert type(one) is np.float64
    small = getattr(ours, method)(X.astype("f4"), *SHAPES[name], *moved)
    assert small.dtype == np.float32


@every
@pytest.mark.parametrize("method", METHODS)
def test_gradients_in_everything(name: str, method: str) -> None:
    need_scipy(name, method)
    f = getattr(getattr(ag.stats, name), method)
    shapes = SHAPES[name]
    if name in NO_SHAPE and not method.endswith("pdf"):
        at = inside(name), 0.1, 1.4
        ag.check_gradients(lambda x, loc, scale: f(x, *shapes, loc, scale), *at, order=2)
    else:
        ag.check_gradients(f, inside(name), *shapes, 0.1, 1.4, order=2)


@every
@pytest.mark.parametrize("method", METHODS)
def test_outside_the_gradient_is_zero(name: str, method: str) -> None:
    need_scipy(name, method)
    ours = getattr(ag.stats, name)
    given = [-math.inf, math.inf, *[-7.0] * (ours.low > -math.inf), *[7.0] * (ours.high < 2)]
    x = ag.tensor(given, dtype=np.float64, requires_grad=True)
    loc, scale = (ag.tensor(v, dtype=np.float64, requires_grad=True) for v in (0.1, 1.4))
    constant = name in NO_SHAPE and not method.endswith("pdf")
    shapes = [s if constant else ag.tensor(s, dtype=np.float64, requires_grad=True) for s in SHAPES[name]]
    y = getattr(ours, method)(x, *shapes, loc, scale)
    up = {"logpdf": [-math.inf] * 2, "pdf": [0, 0], "cdf": [0, 1], "sf": [1, 0], "logcdf": [-math.inf, 0],
          "logsf": [0, -math.inf]}[method]  # fmt: skip
    np.testing.assert_array_equal(y.detach().numpy()[:2], up)
    y.backward(np.ones(len(given)))
    for v in (x, loc, scale, *(s for s in shapes if isinstance(s, ag.Tensor))):
        np.testing.assert_array_equal(v.grad, np.zeros(v.shape))


@needs_scipy
@pytest.mark.parametrize("name", DISCRETE)
@pytest.mark.parametrize("method", ["logpmf", "pmf", "cdf"])
def test_probabilities_of_whole_numbers(name: str, method: str) -> None:
    stats = pytest.importorskip("scipy.stats")
    ours, theirs = getattr(getattr(ag.stats, name), method), getattr(getattr(stats, name), method)
    if (name, method) == ("binom", "cdf"):
        with pytest.raises(NotImplementedError, match=r"\[binom.cdf\]"):
            ours(K, *DISCRETE[name])
        return
    for moved in ((), (1,)):
        np.testing.assert_allclose(ours(K, *DISCRETE[name], *moved), theirs(K, *DISCRETE[name], *moved),
                                   rtol=1e-12, atol=1e-300)  # fmt: skip
    for wrong in (-0.5, math.nan):
        assert np.isnan(ours(K, *DISCRETE[name][:-1], wrong)).all()
    p = ag.tensor(DISCRETE[name][-1], dtype=np.float64, requires_grad=True)
    ours(K, *DISCRETE[name][:-1], p).sum().backward()
    assert np.isfinite(p.grad)
    constant = DISCRETE[name][:-1]
    k = {"bernoulli": K[1:3], "geom": K[2:5]}.get(name, K[1:5])
    if name == "nbinom" and method != "cdf":
        ag.check_gradients(lambda n, p: ours(k, n, p), *DISCRETE[name], order=2)
    ag.check_gradients(lambda p: ours(k, *constant, p), DISCRETE[name][-1], order=2)


def test_certain_events() -> None:
    for p, expected in ((0.0, [0.0, -math.inf]), (1.0, [-math.inf, 0.0])):
        np.testing.assert_array_equal(ag.stats.bernoulli.logpmf(np.array([0, 1]), p), expected)
    p = ag.tensor([0.0, 1.0], dtype=np.float64, requires_grad=True)
    ag.stats.bernoulli.logpmf(np.array([0, 1]), p).sum().backward()
    np.testing.assert_array_equal(p.grad, [-1.0, 1.0])


TORCH: dict[str, Any] = {
    "norm": lambda d, loc, s: d.Normal(loc, s), "laplace": lambda d, loc, s: d.Laplace(loc, s),
    "cauchy": lambda d, loc, s: d.Cauchy(loc, s), "t": lambda d, n, loc, s: d.StudentT(n, loc, s),
    "gamma": lambda d, a, loc, s: d.Gamma(a, 1 / s), "invgamma": lambda d, a, loc, s: d.InverseGamma(a, s),
    "expon": lambda d, loc, s: d.Exponential(1 / s), "lognorm": lambda d, s, loc, e: d.LogNormal(e.log(), s),
    "beta": lambda d, a, b, loc, s: d.Beta(a, b), "chi2": lambda d, n, loc, s: d.Chi2(n),
    "f": lambda d, n, m, loc, s: d.FisherSnedecor(n, m),
    "weibull_min": lambda d, c, loc, s: d.Weibull(s, c), "pareto": lambda d, b, loc, s: d.Pareto(s, b),
}  # fmt: skip
UNIT = {"beta", "chi2", "f"}  # theirs has no scale


@needs_scipy
@pytest.mark.parametrize("name", TORCH)
def test_log_densities_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch gives the densities")
    loc = 0.3 if name in ("norm", "laplace", "cauchy", "t") else 0.0
    scale = 1.0 if name in UNIT else 1.4
    x = (inside(name) - 0.1) / 1.4 * scale
    values = [x, *SHAPES[name], loc, scale]
    theirs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]
    d = TORCH[name](torch.distributions, *theirs[1:])
    y = d.log_prob(theirs[0])
    y.sum().backward()
    ours = [ag.tensor(v, dtype=np.float64, requires_grad=True) for v in values]
    z = getattr(ag.stats, name).logpdf(*ours)
    z.sum().backward()
    np.testing.assert_allclose(z.detach().numpy(), y.detach().numpy(), rtol=1e-11)
    for mine, other in zip(ours, theirs, strict=True):
        if other.grad is not None:
            np.testing.assert_allclose(mine.grad, other.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(TypeError, match=r"\[norm.logpdf\] got too many positional arguments, expected \(x"):
        ag.stats.norm.logpdf(1.0, 0.0, 1.0, 2.0)
    with pytest.raises(TypeError, match=r"\[gamma.logpdf\] got missing a required argument: 'a'"):
        ag.stats.gamma.logpdf(1.0)
    assert repr(ag.stats.gamma) == "<distribution gamma(x, a, loc=0.0, scale=1.0)>"
    assert repr(ag.stats.poisson) == "<distribution poisson(k, mu, loc=0)>"


@needs_scipy
def test_the_shape_of_an_integral_is_refused() -> None:
    a = ag.tensor(2.0, requires_grad=True)
    with pytest.raises(ag.NotDifferentiableError, match=r"\[gammainc\] got a shape parameter"):
        ag.stats.gamma.cdf(1.0, a)
    with ag.no_grad():
        assert ag.stats.gamma.cdf(1.0, a).item() > 0


# -- of several variables --------------------------------------------------------------------------

rng = np.random.default_rng(0)
ROOT, MEAN, POINTS = rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(5, 3))
COV = ROOT @ ROOT.T + np.eye(3)
normal = ag.stats.multivariate_normal


def test_multivariate_normal_is_scipys() -> None:
    stats = pytest.importorskip("scipy.stats", reason="SciPy gives the values")
    theirs = stats.multivariate_normal
    for args in ((MEAN, COV), (MEAN, np.array([1.0, 2.0, 3.0])), (np.zeros(3), 2.0), (MEAN,)):
        for x in (POINTS, POINTS[0], POINTS[None]):
            got, density = normal.logpdf(x, *args), normal.pdf(x, *args)
            assert got.shape == density.shape == x.shape[:-1]
            np.testing.assert_allclose(np.squeeze(got), theirs.logpdf(x, *args), rtol=1e-13)
            np.testing.assert_allclose(np.squeeze(density), theirs.pdf(x, *args), rtol=1e-12)
        np.testing.assert_allclose(normal.entropy(*args), theirs.entropy(*args), rtol=1e-13)
    for x in (0.3, POINTS[:, 0]):
        np.testing.assert_allclose(normal.logpdf(x), theirs.logpdf(x), rtol=1e-13)
        np.testing.assert_allclose(normal.logpdf(x, 0.5, 2.0), theirs.logpdf(x, 0.5, 2.0), rtol=1e-13)


def test_multivariate_normal_in_batches() -> None:
    covs = np.stack([COV, 2 * COV, np.eye(3)])
    got = normal.logpdf(POINTS[:3], POINTS[1:4], covs)
    each = [normal.logpdf(x, m, c) for x, m, c in zip(POINTS, POINTS[1:4], covs, strict=False)]
    np.testing.assert_allclose(got, each)
    cross = normal.logpdf(POINTS[:, None], MEAN, covs)
    assert cross.shape == (5, 3)
    np.testing.assert_allclose(cross[4, 1], normal.logpdf(POINTS[4], MEAN, covs[1]))


def test_multivariate_normal_gradients() -> None:
    def f(x: Any, mean: Any, a: Any) -> Any:
        return normal.logpdf(x, mean, a @ a.T + np.eye(3))

    ag.check_gradients(f, POINTS, MEAN, ROOT, order=2)
    ag.check_gradients(lambda a: normal.entropy(cov=a @ a.T + np.eye(3)), ROOT, order=2)
    ag.check_gradients(lambda x, v: normal.logpdf(x, cov=v), POINTS, np.array([1.0, 2.0, 0.5]), order=2)
    torch = pytest.importorskip("torch", reason="PyTorch gives the gradients")
    theirs = [torch.tensor(v, requires_grad=True) for v in (POINTS, MEAN, ROOT)]
    x, m, a = theirs
    torch.distributions.MultivariateNormal(m, a @ a.T + torch.eye(3)).log_prob(x).sum().backward()
    got = ag.grad(lambda *v: f(*v).sum(), (0, 1, 2))(POINTS, MEAN, ROOT)
    for mine, other in zip(got, theirs, strict=True):
        np.testing.assert_allclose(mine, other.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("args", "error", "text"), [
    ((POINTS, MEAN, -COV), np.linalg.LinAlgError, "cov with an eigenvalue -.*positive definite.*; try cov"),
    ((POINTS, MEAN, COV[:2]), ValueError, r"cov of shape \(2, 3\), expected square"),
    ((POINTS, MEAN[:2], COV), ValueError, r"mean of shape \(2,\) and cov of shape \(3, 3\)"),
    ((POINTS[:, :2], MEAN, COV), ValueError, r"x of shape \(5, 2\), expected \(\.\.\., 3\)"),
])  # fmt: skip
def test_multivariate_normal_errors(args: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=rf"\[multivariate_normal.logpdf\] got {text}"):
        normal.logpdf(*args)


@needs_scipy
def test_dirichlet_and_multinomial() -> None:
    stats = pytest.importorskip("scipy.stats")
    alpha, x = np.array([1.5, 2.0, 3.0]), rng.dirichlet([1, 2, 3], 4).T
    for part in (x, x[:, 0], x[:2], x[:2, 0]):
        ours, theirs = ag.stats.dirichlet, stats.dirichlet
        np.testing.assert_allclose(ours.logpdf(part, alpha), theirs.logpdf(part, alpha))
        np.testing.assert_allclose(ours.pdf(part, alpha), theirs.pdf(part, alpha))
    ag.check_gradients(ag.stats.dirichlet.logpdf, x[:2], alpha, order=2)
    for wrong, text in ((x[:1], r"x of shape \(1, 4\)"), (2 * x, "no shares")):
        with pytest.raises(ValueError, match=rf"\[dirichlet.logpdf\] got .*{text}"):
            ag.stats.dirichlet.logpdf(wrong, alpha)
    with pytest.raises(ValueError, match=r"\[dirichlet.logpdf\] got alpha"):
        ag.stats.dirichlet.logpdf(x, -alpha)
    counts, p = np.array([[1, 2, 3], [1, 1, 1], [0, 6, 0], [7, -1, 0]]), np.array([0.2, 0.3, 0.5])
    for f in ("logpmf", "pmf"):
        np.testing.assert_allclose(getattr(ag.stats.multinomial, f)(counts, 6, p),
                                   getattr(stats.multinomial, f)(counts, 6, p), atol=1e-300)  # fmt: skip
    ag.check_gradients(lambda s: ag.stats.multinomial.logpmf(counts[::2], 6, ag.softmax(s)), p, order=2)
    torch = pytest.importorskip("torch", reason="PyTorch gives the gradients")
    t = torch.tensor(alpha, requires_grad=True)
    torch.distributions.Dirichlet(t).log_prob(torch.tensor(x.T.copy())).sum().backward()
    got = ag.grad(lambda a: ag.stats.dirichlet.logpdf(x, a).sum())(alpha)
    np.testing.assert_allclose(got, t.grad, rtol=1e-10)
