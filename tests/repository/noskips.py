"""A pytest plugin for a machine that has everything: there a test that skips is a failure.

    python -m pytest -p tests.repository.noskips
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


def fail_if_skipped(report: Any) -> Any:
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = "skipped where nothing may skip: " + report.longrepr[2]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return fail_if_skipped((yield))
