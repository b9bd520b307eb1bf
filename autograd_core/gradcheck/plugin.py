"""The pytest plugin: the fixture ``assert_gradients`` and the option ``--grad-seed``.

    def test_my_layer(assert_gradients):
        assert_gradients(MyLayer(3, 2), np.ones((4, 3)))

Installing the library is enough; from a checkout, add ``-p autograd_core.gradcheck.plugin``. Each
run tries other random directions, and a test that fails says how to have the same ones again.
Every pytest run loads this file, so it imports the checker when the fixture is called. It asserts
nothing, and may be imported before it is a plugin: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from . import Report

__all__ = ["AssertGradients", "assert_gradients"]

RUNNING = pytest.StashKey[str]()  # the id of the test that runs


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("gradients").addoption(
        "--grad-seed", type=int, metavar="N",
        help="seed of what checks of gradients draw at random (default: another in each run)",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "grad_seed", None) is None:  # missing if the plugin came in late
        received = getattr(config, "workerinput", {})
        config.option.grad_seed = received.get("grad_seed", secrets.randbelow(10**6))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist: all workers share the seed of the run
def pytest_configure_node(node: Any) -> None:
    node.workerinput["grad_seed"] = node.config.option.grad_seed


def pytest_report_header(config: pytest.Config) -> str:
    return f"gradients: seed {config.option.grad_seed}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    item.config.stash[RUNNING] = item.nodeid
    reseed = getattr(getattr(item, "function", None), "reseed_shapes", None)
    if reseed is not None:  # of autograd_core.gradcheck.strategies
        reseed(seed_of(item.config.option.grad_seed, item.nodeid))


def seed_of(run: int, test: str) -> int:
    """Return the seed of a test, which depends on no other test.

    >>> seed_of(1234, "test_layer.py::test_linear")
    3976418018
    """
    return int.from_bytes(hashlib.sha256(f"{run}:{test}".encode()).digest()[:4])


class AssertGradients:
    """What the fixture ``assert_gradients`` returns; it remembers nothing from call to call."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def __call__(self, f_or_module: Any, *inputs: Any, **options: Any) -> Report:
        """Check as ``check_gradients`` does, with a seed of this run and test unless one is given."""
        __tracebackhide__ = True
        from ..errors import GradientError
        from . import check_gradients

        run, test = self._config.option.grad_seed, self._config.stash[RUNNING]
        options.setdefault("seed", seed_of(run, test))
        try:
            return check_gradients(f_or_module, *inputs, **options)
        except GradientError as error:
            error.args = (f"{error}\nrun this test again with --grad-seed={run}",)
            raise error.with_traceback(None)  # noqa: B904 - its own cause is kept, and shown

    def __repr__(self) -> str:
        return "assert_gradients"


@pytest.fixture(scope="session")  # stateless, so one will do: also for all examples of hypothesis
def assert_gradients(pytestconfig: pytest.Config) -> AssertGradients:
    """Compare the gradients of a function or Module with finite differences.

    ``assert_gradients(f_or_module, *inputs, **options)`` takes what ``check_gradients`` takes and
    returns its Report. If a gradient is wrong, the test fails with the text of the report.
    """
    return AssertGradients(pytestconfig)
