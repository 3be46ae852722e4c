"""What holds for every test."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """agdoctor looks for the proxy on every port on which this machine listens; among those are the servers of the
    tests that run at the same time, which count what is asked of them."""
    monkeypatch.setattr("antigravity_doctor.probes.discover.listening_ports", lambda: None)
