from __future__ import annotations

from pathlib import Path

import pytest

SKIPPING = """
import pytest

@pytest.mark.skip(reason="no screen")
def test_marked(): ...

@pytest.mark.parametrize("n", [1, 2])
def test_called(n):
    pytest.skip("no camera")

@pytest.mark.xfail(strict=True)
def test_known_bug():
    assert False

def test_fine(): ...
"""


def run(pytester: pytest.Pytester, allowed: str = "") -> pytest.RunResult:
    folder = Path(pytester.mkdir("tests"))
    (folder / "allowed_skips.txt").write_text(allowed, encoding="utf-8")
    return pytester.runpytest_inprocess("-p", "tests.skip_rule", "-p", "no:cacheprovider", "-rfE")


@pytest.fixture(autouse=True)
def in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")


def test_an_unlisted_skip_fails_in_ci_and_says_why(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=SKIPPING)
    result = run(pytester)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1, xfailed=1, failed=2, errors=1)
    result.stdout.fnmatch_lines(["*test_it.py::test_marked was skipped (no screen)*"])
    result.stdout.fnmatch_lines(["*was skipped (no camera), and tests/allowed_skips.txt*"])


def test_a_listed_skip_is_allowed_in_ci(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=SKIPPING)
    result = run(
        pytester,
        "# why\n\ntest_it.py::test_marked -- no screen there\ntest_it.py::test_called -- none\n",
    )
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1, xfailed=1, skipped=3)


def test_a_single_parameter_can_be_listed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=SKIPPING)
    result = run(
        pytester, "test_it.py::test_marked -- none\ntest_it.py::test_called[1] -- the first\n"
    )
    result.assert_outcomes(passed=1, xfailed=1, skipped=2, failed=1)


def test_a_skipped_module_fails_in_ci(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="import pytest\npytest.importorskip('no_such_module_at_all')\n")
    result = run(pytester)
    assert result.ret != pytest.ExitCode.OK
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_it.py was skipped*no_such_module_at_all*"])


def test_a_line_without_a_reason_stops_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=SKIPPING)
    result = run(pytester, "test_it.py::test_marked\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*allowed_skips.txt:1: write: TEST_ID -- REASON*"])


def test_skips_are_left_alone_on_a_developers_machine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI")
    pytester.makepyfile(test_it=SKIPPING)
    result = run(pytester)
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1, xfailed=1, skipped=3)
