"""The pytest plugin, and the decorators that draw shapes: run on small test files of a user."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_core as ag
from autograd_core.gradcheck.plugin import seed_of
from autograd_core.gradcheck.strategies import (
    LAYOUTS,
    arrays,
    for_broadcastable_shapes,
    for_shapes,
    standard_normal,
)

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[2]
PLUGIN = "autograd_core.gradcheck.plugin"

HEAD = """
import numpy as np
import autograd_core as ag
import pytest
from autograd_core.gradcheck.strategies import for_broadcastable_shapes, for_shapes

@ag.primitive
def double(x):
    return 2 * x

double.defvjp(lambda g, y, x: 3 * g)
"""
FAILING = "def test_wrong(assert_gradients):\n    assert_gradients(double, np.ones(3))\n"


@pytest.fixture
def run(pytester: pytest.Pytester) -> Any:
    """Write a test file of a user and run it with the plugin."""
    pytester.makeini("[pytest]\nfilterwarnings = error::pytest.PytestWarning\n")

    def run(source: str, *args: str) -> pytest.RunResult:
        pytester.makepyfile(test_user=HEAD + source)
        return pytester.runpytest_inprocess("-p", PLUGIN, "-p", "no:cacheprovider", *args)

    return run


def text(result: pytest.RunResult) -> str:
    """Return what was printed, without what differs between equal runs."""
    return re.sub(r" in [\d.]+s", "", result.stdout.str())


# -- the fixture and the option --------------------------------------------------------------------


def test_the_fixture_returns_the_report(run: Any) -> None:
    source = """
def test_right(assert_gradients):
    report = assert_gradients(np.sin, np.ones(3), modes="reverse", seed=7)
    assert report.passed and report.seed == 7
    assert {row.mode for row in report.rows} == {"reverse"}

def test_other_errors_pass_through(assert_gradients):
    with pytest.raises(TypeError, match="check_gradients"):
        assert_gradients(np.sin, np.arange(3))

def test_the_error_has_the_report(assert_gradients):
    with pytest.raises(ag.GradientError, match="seed=1234$") as caught:
        assert_gradients(double, np.ones(3))
    assert not caught.value.report.passed
"""
    run(source, "--grad-seed=1234").assert_outcomes(passed=3)


def test_a_failure_shows_the_report_and_nothing_of_the_library(run: Any) -> None:
    result = run(FAILING, "--grad-seed=1234")
    result.assert_outcomes(failed=1)
    shown = [line for line in result.outlines if line.startswith("E ")]
    assert "GradientError" in shown[0]
    assert any("double" in line for line in shown)
    assert shown[-1] == "E       run this test again with --grad-seed=1234"
    assert "autograd_core/" not in result.stdout.str()  # no frame of it
    result.stdout.fnmatch_lines([">       assert_gradients(double, np.ones(3))"])


def test_what_a_backward_raises_is_shown_as_the_cause(run: Any) -> None:
    source = """
def broken(g, y, x):
    raise KeyError("of the user")

double.defvjp(broken)

def test_raises(assert_gradients):
    assert_gradients(double, np.ones(3))
"""
    result = run(source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*raise KeyError*", "*run this test again with --grad-seed=*"])


def test_the_seed_is_in_the_header(run: Any) -> None:
    run(FAILING, "--grad-seed=1234").stdout.fnmatch_lines(["gradients: seed 1234"])


def test_without_the_option_each_run_draws_a_seed(run: Any) -> None:
    seeds = set()
    for _ in range(3):
        printed = run(FAILING).stdout.str()
        (header,) = re.findall(r"^gradients: seed (\d+)$", printed, re.M)
        (again,) = re.findall(r"^E .*--grad-seed=(\d+)$", printed, re.M)
        assert header == again
        seeds.add(header)
    assert len(seeds) > 1


def test_the_same_seed_fails_in_the_same_way(run: Any) -> None:
    assert text(run(FAILING, "--grad-seed=5")) == text(run(FAILING, "--grad-seed=5"))
    other = text(run(FAILING, "--grad-seed=6")).replace("seed=6", "seed=5").replace("seed 6", "seed 5")
    assert other != text(run(FAILING, "--grad-seed=5"))


def test_seeds_do_not_depend_on_the_order(run: Any) -> None:
    source = """
@pytest.mark.parametrize("k", [1, 2])
def test_one(assert_gradients, k, request):
    print(request.node.nodeid, assert_gradients(np.sin, np.ones(3)).seed)
"""
    every = run(source, "--grad-seed=5", "-s").stdout.re_match_lines
    for k in (1, 2):
        test = f"test_user.py::test_one[{k}]"
        line = re.escape(f"{test} {seed_of(5, test)}")
        every([f".*{line}"])
        run(source, "--grad-seed=5", "-s", "-k", f"[{k}]").stdout.re_match_lines([f".*{line}"])
    assert seed_of(5, "a") != seed_of(6, "a") != seed_of(6, "b")


def test_an_installation_brings_the_plugin() -> None:
    """Under the name that ``-p`` takes, or pytest would load it twice and refuse."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {PLUGIN: PLUGIN}


def test_workers_receive_the_seed(pytester: pytest.Pytester) -> None:
    """As pytest-xdist does it, without pytest-xdist."""
    config = pytester.parseconfigure("-p", PLUGIN)
    node = type("Node", (), {"config": config, "workerinput": {}})()
    config.pluginmanager.get_plugin(PLUGIN).pytest_configure_node(node)
    worker = pytester.parseconfig("-p", PLUGIN)
    worker.workerinput = node.workerinput
    worker._do_configure()
    assert worker.option.grad_seed == config.option.grad_seed
    worker._ensure_unconfigure()


def test_without_hypothesis(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(
        hypothesis="raise ModuleNotFoundError('hypothesis')",
        test_user="""
import numpy as np, pytest
from autograd_core.gradcheck.strategies import arrays, for_broadcastable_shapes, for_shapes

def test_right(assert_gradients):
    assert assert_gradients(np.sin, np.ones(3)).passed

@pytest.mark.parametrize("make", [lambda: for_shapes(x="n"), lambda: arrays((2,)),
                                  lambda: for_broadcastable_shapes("x")])
def test_missing(make):
    with pytest.raises(ImportError, match=r"pip install autograd-core\\[test\\]"):
        make()
""",
    )
    result = pytester.runpytest_subprocess("-p", PLUGIN, "-p", "no:hypothesispytest")
    result.assert_outcomes(passed=4)


def test_the_plugin_loads_little() -> None:
    """Everybody's pytest imports it: neither hypothesis nor what `import autograd_core` leaves out."""
    code = f"import sys, {PLUGIN}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert PLUGIN in loaded
    assert not loaded & {"hypothesis", "nn", "optim", "scipy", "graphviz", "autograd_core.draw"}


# -- arrays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(), (3,), (1, 4), (0, 2), (2, 3, 4)])
def test_layouts_hold_the_same_numbers(shape: tuple[int, ...], dtype: str) -> None:
    found = [standard_normal(shape, 5, dtype, layout) for layout in LAYOUTS]
    assert len(found) == 4
    for x in found:
        assert isinstance(x, np.ndarray)
        assert (x.shape, x.dtype) == (shape, dtype)
        assert np.array_equal(x, found[0])


def test_what_the_layouts_are() -> None:
    size = 8
    assert {layout: standard_normal((2, 3), layout=layout).strides for layout in LAYOUTS} == {
        "C": (3 * size, size),
        "F": (size, 2 * size),
        "reversed": (-3 * size, -size),
        "step": (2 * 6 * size, 2 * size),
    }
    base = standard_normal((2, 3), layout="step").base
    assert base is not None
    assert np.isnan(base).sum() == 24 - 6  # a rule that ignores strides reads nan
    with pytest.raises(ValueError, match="layout='K', expected one of"):
        standard_normal((2, 3), layout="K")


# -- shapes ----------------------------------------------------------------------------------------


def repeatable(test: Any) -> None:
    """Run a decorated test with the same shapes each time: what must occur, occurs."""
    test.reseed_shapes(0)
    test()


def test_dimensions_of_equal_name_agree() -> None:
    seen = []

    @for_shapes(x="..., batch, m", w="m 3", s="", b="..., n", max_examples=60)
    def test(x: Any, w: Any, s: Any, b: Any) -> None:
        assert w.shape == (x.shape[-1], 3)
        assert s.shape == ()
        assert b.shape[:-1] == x.shape[:-2]
        seen.append(x)

    repeatable(test)
    assert {x.ndim for x in seen} == {2, 3, 4}
    assert {n for x in seen for n in x.shape} == {1, 2, 3, 4, 5}
    assert any(x.shape[-2] != x.shape[-1] for x in seen)  # other names, other sizes


def test_all_layouts_occur() -> None:
    strides = set()

    @for_shapes(x="n, m", min_size=2, max_size=2)
    def test(x: Any) -> None:
        strides.add(x.strides)

    repeatable(test)
    assert strides == {(16, 8), (8, 16), (-16, -8), (64, 16)}


def test_sizes() -> None:
    seen = set()

    @for_shapes(x="n, kernel", sizes={"kernel": (2, 3)}, min_size=0, max_size=1, max_examples=60)
    def test(x: Any) -> None:
        seen.add(x.shape)

    repeatable(test)
    assert seen == {(0, 2), (0, 3), (1, 2), (1, 3)}


def test_numbers() -> None:
    @for_shapes(x="n", y="n", dtype=np.float32)
    def test(x: Any, y: Any) -> None:
        assert x.dtype == y.dtype == np.float32
        assert not np.intersect1d(x, y).size  # also when hypothesis simplifies what it drew

    repeatable(test)


def test_broadcastable_shapes() -> None:
    seen = []

    @for_broadcastable_shapes("x", "y", min_size=0, max_examples=60)
    def test(x: Any, y: Any) -> None:
        seen.append((x.shape, y.shape, np.broadcast_shapes(x.shape, y.shape)))

    repeatable(test)
    assert any(x != y for x, y, _ in seen)
    assert any(0 in result for _, _, result in seen)
    assert {len(result) for _, _, result in seen} == {0, 1, 2, 3}


def test_other_strategies_beside_shapes() -> None:
    seen = set()

    @for_shapes(x="n, m", axis=st.sampled_from([0, 1]))
    def test_axis(x: Any, axis: int) -> None:
        seen.add(axis)

    @given(x=arrays(st.tuples(st.integers(1, 2)), "float32", ["C"]))
    def test_arrays(x: Any) -> None:
        seen.add((x.shape, x.dtype.name))

    test_axis()
    test_arrays()
    assert seen == {0, 1, ((1,), "float32"), ((2,), "float32")}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"x": "n, -1"}, r"\[for_shapes\] got shape 'n, -1'.*try '\.\.\., batch, 3'"),
        ({"x": "..., n, ..."}, "at most one"),
        ({"x": "2*n"}, r"got shape '2\*n'"),
        ({"x": "n", "sizes": {"m": (1, 2)}}, "got sizes of m, expected dimensions that a shape names"),
    ],
)
def test_what_is_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        for_shapes(**options)


# -- together --------------------------------------------------------------------------------------

# The gradient of a product that is right while the inner dimension is one or two.
WRONG = """
@ag.primitive
def product(x, w):
    return np.matmul(x, w)

product.defvjp(lambda g, y, x, w: g @ w.T * (1.0 if w.shape[0] < 3 else 1.5),
               lambda g, y, x, w: x.T @ g)

@for_shapes(x="batch, m", w="m, n")
def test_product(x, w, assert_gradients):
    assert_gradients(product, x, w)
"""


def test_right_rules_pass_with_the_fixture_and_no_health_check(run: Any) -> None:
    source = """
@for_shapes(x="..., m", w="m, n", max_examples=5)
def test_product(x, w, assert_gradients):
    assert_gradients(np.matmul, x, w)

class TestMethods:
    @pytest.mark.parametrize("f", [np.add, np.multiply])
    @for_broadcastable_shapes("x", "y", max_examples=5)
    def test_elementwise(self, f, x, y, assert_gradients):
        assert_gradients(f, x, y)
"""
    run(source).assert_outcomes(passed=3)


def test_a_wrong_rule_is_found_and_shrunk(run: Any, pytester: pytest.Pytester) -> None:
    result = run(WRONG, "--grad-seed=1")
    result.assert_outcomes(failed=1)
    printed = result.stdout.str()
    assert "standard_normal((1, 3), 0, 'float64', 'C')" in printed
    assert "standard_normal((3, 1), 1, 'float64', 'C')" in printed
    assert "run this test again with --grad-seed=1" in printed
    assert "Explanation" not in printed  # hypothesis would list lines of the checker
    assert text(run(WRONG, "--grad-seed=1")) == text(result)
    assert not (pytester.path / ".hypothesis" / "examples").exists()  # not remembered: seeded


def test_the_seed_decides_the_shapes(run: Any) -> None:
    source = """
@for_shapes(x="n, m", max_examples=10)
def test_shapes(x, assert_gradients):
    print("drawn", x.shape, x.strides)
"""

    def drawn(*args: str) -> list[str]:
        return re.findall(r"drawn .*", run(source, "-s", *args).stdout.str())

    assert drawn("--grad-seed=1") == drawn("--grad-seed=1") != drawn("--grad-seed=2")
    assert len(drawn("--grad-seed=1")) == 10


def test_a_wrong_rule_is_found_without_pytest() -> None:
    @for_shapes(x="n, m", min_size=0)
    def test(x: Any) -> None:
        ag.check_gradients(lambda x: x * x.data if x.shape[1] > 2 else x, x, modes="reverse")

    with pytest.raises(ag.GradientError, match=r"argument 'x'.*") as caught:
        test()
    assert any("standard_normal((1, 3), 0" in note for note in caught.value.__notes__)
