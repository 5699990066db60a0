"""In continuous integration a skipped test fails, unless allowed_skips.txt gives a reason.

A test that is skipped where it always runs has stopped testing, and a green run hides that. The
list holds one line a test: its id (without parameters, or with them), `` -- ``, and the reason.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ALLOWED = Path("tests") / "allowed_skips.txt"
_allowed_key = pytest.StashKey[dict[str, str]]()


def read_allowed(path: Path) -> dict[str, str]:
    """Test id -> reason. A line without a reason is a usage error."""
    allowed: dict[str, str] = {}
    if not path.exists():
        return allowed
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        test, _, reason = line.partition(" -- ")
        if not reason.strip():
            raise pytest.UsageError(f"{path}:{number}: write: TEST_ID -- REASON")
        allowed[test.strip()] = reason.strip()
    return allowed


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true":
        config.stash[_allowed_key] = read_allowed(config.rootpath / ALLOWED)


def _fail_unless_allowed(
    report: pytest.TestReport | pytest.CollectReport, config: pytest.Config
) -> None:
    allowed = config.stash.get(_allowed_key, None)
    # An expected failure is reported as a skip, too.
    if allowed is None or not report.skipped or hasattr(report, "wasxfail"):
        return
    if report.nodeid in allowed or report.nodeid.partition("[")[0] in allowed:
        return
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = (
        f"{report.nodeid} was skipped ({why.removeprefix('Skipped: ')}), "
        f"and {ALLOWED.as_posix()} does not list it with a reason"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_unless_allowed(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_unless_allowed(report, collector.config)
    return report
