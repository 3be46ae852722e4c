"""`run_check`: the checks of `agdoctor check`, as a small graph of what needs what.

Checks run at the same time where they may and are reported in a fixed order. One whose need failed is reported as
skipped, with the first cause; one that crashes is reported as inconclusive. Nothing disappears from the report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult
from antigravity_doctor.probes.auth import check_auth_mode, check_key, check_key_carriers
from antigravity_doctor.probes.client_settings import check_client_settings
from antigravity_doctor.probes.clients import check_base_url, check_client
from antigravity_doctor.probes.identify import check_proxy, check_served_by, check_service, check_version
from antigravity_doctor.probes.reach import check_http, check_http_proxy, check_name, check_port, check_settings
from antigravity_doctor.probes.routes import check_mcp, check_models, check_routes
from antigravity_doctor.probes.session import Asker, CheckOptions, Session, Verdict

__all__ = ["CHECKS", "Check", "CheckOptions", "OnProgress", "run_check", "run_check_sync"]

Stage = Literal["reach", "identity", "auth", "routes", "client"]
OnProgress = Callable[[str, int, int], None]
"""Called whenever a check is done: its id, how many are done, how many there are."""

_GRACE = 1.0
"""Seconds past the total time after which a check that still runs is given up."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `needs` must have passed (or warned); `after` must only be over."""

    id: str
    stage: Stage
    run: Callable[[Session, Asker], Awaitable[Verdict]]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


CHECKS: tuple[Check, ...] = (
    Check("name", "reach", check_name),
    Check("port", "reach", check_port, needs=("name",)),
    Check("http", "reach", check_http, needs=("port",)),
    Check("http-proxy", "reach", check_http_proxy, after=("name",)),
    Check("settings", "reach", check_settings, after=("version",)),
    Check("proxy", "identity", check_proxy, needs=("http",)),
    Check("version", "identity", check_version, needs=("proxy",)),
    Check("service", "identity", check_service, needs=("proxy",)),
    Check("served-by", "identity", check_served_by, needs=("proxy",)),
    Check("auth-mode", "auth", check_auth_mode, needs=("proxy",)),
    Check("key", "auth", check_key, needs=("proxy",), after=("auth-mode", "version")),
    Check("key-carriers", "auth", check_key_carriers, needs=("proxy",), after=("key", "version")),
    Check("routes-openai", "routes", check_routes("openai"), needs=("proxy",), after=("version",)),
    Check("routes-anthropic", "routes", check_routes("anthropic"), needs=("proxy",), after=("version",)),
    Check("routes-gemini", "routes", check_routes("gemini"), needs=("proxy",), after=("version",)),
    Check("routes-other", "routes", check_routes("other"), needs=("proxy",), after=("version",)),
    Check("routes-mcp", "routes", check_mcp, needs=("proxy",), after=("version",)),
    Check("models", "routes", check_models, needs=("proxy", "service"), after=("version", "key")),
    Check("base-url", "client", check_base_url, after=("version",)),
    Check("client", "client", check_client, needs=("proxy",), after=("version", "base-url")),
    Check("client-settings", "client", check_client_settings, after=("version",)),
)
"""All checks, in the order of the report. A check stands after everything that it needs or follows, `settings` and
its look at the proxy and its version excepted."""


async def run_check(options: CheckOptions, on_progress: OnProgress | None = None) -> CheckReport:
    """Checks a server. Never raises for anything that the server or the network does; sends nothing with an effect."""
    session = Session(options)
    results: dict[str, CheckResult] = {}
    over = {check.id: asyncio.Event() for check in CHECKS}

    async def one(check: Check) -> None:
        for other in (*check.needs, *check.after):
            await over[other].wait()
        results[check.id] = await _result(check, session, results)
        over[check.id].set()
        if on_progress is not None:
            on_progress(check.id, len(results), len(CHECKS))

    tasks = {check.id: asyncio.create_task(one(check)) for check in CHECKS}
    try:
        await asyncio.wait(tasks.values(), timeout=options.total_timeout + _GRACE)
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        await session.close()
    ordered = tuple(
        results.get(check.id) or CheckResult(check.id, check.stage, "inconclusive", "out-of-time") for check in CHECKS
    )
    return CheckReport(
        url=options.origin,
        proxy_version=session.known.exact if session.known is not None else None,
        served_by=session.served_by,
        auth=session.auth,
        checks=ordered,
        unreachable=any(
            results[each].status == "fail" or results[each].because == "limit-too-short"
            for each in ("name", "port", "http", "proxy")
            if each in results
        ),
    )


async def _result(check: Check, session: Session, results: dict[str, CheckResult]) -> CheckResult:
    for need in check.needs:
        needed = results[need]
        if needed.status in ("pass", "warn"):
            continue
        because = needed.because if needed.status != "fail" and needed.because else f"needs-{need}"
        return CheckResult(check.id, check.stage, "skipped", because)
    asker = Asker(session)
    try:
        verdict = await check.run(session, asker)
    except Exception as error:  # a check that crashes is a result, not a traceback
        verdict = Verdict("inconclusive", "crashed", {"error": type(error).__name__})
    return CheckResult(
        check.id, check.stage, verdict.status, verdict.because, verdict.facts, verdict.findings, asker.traces
    )


def run_check_sync(options: CheckOptions, on_progress: OnProgress | None = None) -> CheckReport:
    """`run_check` for callers without an event loop."""
    return asyncio.run(run_check(options, on_progress))
