"""The check of reports in a browser can start; the browser itself is for ``make test-report``."""

from pathlib import Path

import pytest


def test_the_check_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "browser"))
    import check

    assert {"three-stage", "sweep"} <= set(check.PAGES)
