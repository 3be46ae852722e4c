"""What holds for every test."""

from __future__ import annotations

import signal

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A run that was started in the background of a script has it ignored, and so would the commands that are ended by
    # Ctrl-C here: what a process ignores its children ignore.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """agdoctor looks for the proxy on every port on which this machine listens; among those are the servers of the
    tests that run at the same time, which count what is asked of them."""
    monkeypatch.setattr("antigravity_doctor.probes.discover.listening_ports", lambda: None)
