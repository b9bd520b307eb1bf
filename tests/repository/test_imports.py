"""Imports point one way: the order of the parts, held by parsing every source file.

An import inside a function counts. One that only the type checker sees does not, nor does
``autograd_core.__getattr__``, which finds ``ag.nn`` and ``ag.optim`` when they are asked for.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]

# The parts of autograd_core. Each may import what stands above its line, and nothing else.
ORDER = [
    {"docs", "ducks", "errors", "interrupts"},
    {"node"},
    {"views"},
    {"calls", "fitting"},
    {"primitive"},
    {"backward"},  # walks nodes and knows no Tensor; Tensor.backward calls it
    {"kernels"},
    {"ops"},
    {"writing"},
    {"operators"},
    {"stats"},
    {"random"},
    {"tensor", "value"},
    {"forward"},
    {"transforms"},
    {"fused"},
    {"anomaly", "checkpoint", "gradcheck", "draw", "compile"},
]
# What else a package may import, and in which files or folders: only as `from autograd_core import ...`.
ACROSS = {
    "autograd_core": {},
    "nn": {},
    "optim": {
        "nn": {"averaging.py", "trainer", "demo.py", "ensembles.py", "mnist.py", "practice"},
        "optim": {"demo.py", "mnist.py"},  # a user's text
    },
}
TOP_LEVEL = {
    "autograd_core", "nn", "optim", "tests", "notebooks",
    "README.md", "LICENSE", "pyproject.toml", "Makefile", "CHANGELOG.md", "CONTRIBUTING.md",
}  # fmt: skip

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FILES = sorted(path for package in ACROSS for path in (ROOT / package).rglob("*.py"))


class Import(NamedTuple):
    module: str  # "autograd_core.node"
    within: str | None  # the name of the outermost function that holds it
    line: int
    written: str


def imports(source: str, name: str, *, package: bool = False) -> Iterator[Import]:
    """Find what the file of module ``name`` imports when it runs, with absolute names."""

    def walk(node: ast.AST, within: str | None) -> Iterator[Import]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                yield from walk(child, within)
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            within = within or node.name
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = importlib.util.resolve_name(
                "." * node.level + (node.module or ""), name if package else name.rpartition(".")[0]
            )
            # `from package import name` may reach a module or only a name in one
            modules = [f"{start}.{alias.name}" for alias in node.names]
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith(("import_module", "__import__"))
            and node.args
        ):
            first = node.args[0]
            modules = [str(first.value)] if isinstance(first, ast.Constant) else ["?"]
        for module in modules:
            yield Import(module, within, getattr(node, "lineno", 0), ast.unparse(node))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, within)

    return walk(ast.parse(source), None)


def imports_of(path: Path) -> list[Import]:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return list(imports(path.read_text(), name, package=path.name == "__init__.py"))


def part(module: str) -> str:
    """Name the part of autograd_core that a module belongs to; "" is the package itself."""
    first = (module.split(".") + [""])[1]
    return first if first in {path.stem for path in (ROOT / "autograd_core").iterdir()} else ""


def where(path: Path, found: Import) -> str:
    return f"{path.relative_to(ROOT)}:{found.line}: {found.written}"


def listed(wrong: list[str]) -> str:
    return "\n".join(["", *dict.fromkeys(wrong)])


def test_the_order_of_the_core() -> None:
    place = {name: number for number, names in enumerate(ORDER) for name in names}
    core = [path for path in FILES if path.is_relative_to(ROOT / "autograd_core")]
    wrong = []
    for path in core:
        mine = path.relative_to(ROOT / "autograd_core").with_suffix("").parts[0]
        if mine == "__init__":
            continue  # it gathers them all
        assert mine in place, f"give autograd_core/{mine} a place in ORDER"
        for found in imports_of(path):
            if found.module.split(".")[0] == "autograd_core":
                theirs = part(found.module)
                if theirs != mine and place.get(theirs, len(ORDER)) >= place[mine]:
                    wrong.append(where(path, found))
    assert core
    assert not wrong, f"against the order of the core:{listed(wrong)}"


def test_the_packages_reach_each_other_one_way() -> None:
    wrong = []
    for path in FILES:
        mine, *inside = path.relative_to(ROOT).parts
        for found in imports_of(path):
            if (mine, found.within) == ("autograd_core", "__getattr__"):
                continue
            first, second = (found.module.split(".") + [""])[:2]
            if first == mine and mine != "autograd_core":
                wrong += [where(path, found)] * ("from ." not in found.written)
            elif first in {"nn", "optim"}:
                wrong.append(where(path, found))
            elif first == "autograd_core" and second in {"nn", "optim"}:
                allowed = ACROSS[mine].get(second, set())
                wrong += [where(path, found)] * allowed.isdisjoint(inside)
    assert not wrong, (
        "a package is reached as `from autograd_core import nn, optim`, itself as `from .`, and "
        f"only one way:{listed(wrong)}"
    )


def test_optional_libraries_are_imported_when_needed() -> None:
    required = {re.match(r"\w+", text)[0] for text in PROJECT["dependencies"]}
    extras = PROJECT["optional-dependencies"]
    texts = extras["scipy"] + extras["plot"] + extras["fast"]
    optional = {re.match(r"\w+", text)[0] for text in texts} | {"hypothesis"}
    plugin = ROOT / "autograd_core" / "gradcheck" / "plugin.py"  # pytest imports it, nobody else
    always = required | sys.stdlib_module_names | set(ACROSS)
    wrong = [
        where(path, found)
        for path in FILES
        for found in imports_of(path)
        if found.module.split(".")[0] not in (always | optional if found.within else always)
        and found.within not in ("__getattr__", "_beside")
        and not (path == plugin and found.module == "pytest")
    ]
    assert not wrong, f"neither required nor, inside a function, of an extra:{listed(wrong)}"


def test_nothing_else_stands_at_the_top() -> None:
    listing = shutil.which("git") and subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files"], cwd=ROOT, capture_output=True, text=True
    )
    if not listing or listing.returncode or not listing.stdout:
        pytest.skip("not a git checkout: what belongs to the repository is not known")
    found = {line.split("/")[0].strip('"') for line in listing.stdout.splitlines()}
    assert {name for name in found if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from .errors import message", [("autograd_core.errors.message", None)]),
        ("from . import errors", [("autograd_core.errors", None)]),
        ("import numpy as np", [("numpy", None)]),
        ("def f():\n    from .ops import add", [("autograd_core.ops.add", "f")]),
        ("class A:\n    def f(self):\n        import scipy", [("scipy", "f")]),
        ("importlib.import_module('nn')", [("nn", None)]),
        ("if TYPE_CHECKING:\n    import nn\nelse:\n    import optim", [("optim", None)]),
        ("if typing.TYPE_CHECKING:\n    import nn", []),
    ],
)
def test_each_spelling_of_an_import_is_seen(source: str, found: list[tuple[str, str]]) -> None:
    assert [line[:2] for line in imports(source, "autograd_core.node")] == found
