"""One run of `trace`: the recorder, perhaps a command that is to use it, and what ends both."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from antigravity_doctor.diagnosis.recording import Exchange
from antigravity_doctor.servers.recorder import Recorder, Rewrite

TICK = 0.125
"""Seconds between two looks at what is under way, for a live display."""

_LAST = 1.0
"""Seconds that requests still under way get when the command has ended."""

_PATIENCE = 3.0
"""Seconds that a command gets to end after it was asked to; then it is killed."""

Reason = Literal["count", "seconds", "command", "interrupted"]


class NoSuchProgramError(OSError):
    """The command cannot be started. The message is the system's own."""


class Ended(NamedTuple):
    """Why the run ended, and the command's exit code (128 + signal where a signal ended it) if there was one."""

    reason: Reason
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What to do. `count` and `seconds` end the run by themselves; so does `command`, with its end.

    `environment` is the whole environment of the command, worked out when the recorder's address is known;
    `output_to_stderr` sends the command's standard output to standard error, so that ours carries only the result.
    """

    upstream: str
    host: str = "127.0.0.1"
    port: int = 0
    rewrite: Rewrite | None = None
    keep_bodies: bool = False
    answer_timeout: float = 600.0
    count: int | None = None
    seconds: float | None = None
    command: tuple[str, ...] = ()
    environment: Callable[[str], Mapping[str, str]] = field(default=lambda _: dict(os.environ))
    output_to_stderr: bool = False


async def run(
    plan: Run,
    on_start: Callable[[Recorder], None],
    on_exchange: Callable[[Exchange], bool],
    on_tick: Callable[[Recorder], None] | None = None,
) -> Ended:
    """Records until something ends it; `on_exchange` returns False where there is nobody left to tell. Raises OSError
    if the port cannot be had, NoSuchProgramError for the command."""
    enough = asyncio.Event()
    seen = 0

    def each(exchange: Exchange) -> None:
        nonlocal seen
        if plan.count is not None and seen >= plan.count:
            return
        seen += 1
        if not on_exchange(exchange) or seen == plan.count:
            enough.set()

    recorder = Recorder(
        plan.upstream,
        host=plan.host,
        port=plan.port,
        on_exchange=each,
        rewrite=plan.rewrite,
        keep_bodies=plan.keep_bodies,
        answer_timeout=plan.answer_timeout,
    )
    async with recorder, _signals(enough) as interrupted:
        on_start(recorder)
        ticking = asyncio.create_task(_tick(recorder, on_tick)) if on_tick is not None else None
        waiting: dict[asyncio.Task[object], Reason] = {asyncio.create_task(enough.wait()): "count"}
        if plan.seconds is not None:
            waiting[asyncio.create_task(asyncio.sleep(plan.seconds))] = "seconds"
        child = None
        try:
            if plan.command:
                child = await _start(plan, recorder.url)
                waiting[asyncio.create_task(child.wait())] = "command"
                interrupted.child = child
            try:
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:  # Ctrl-C
                return Ended("interrupted", await _end(child) if child is not None else None)
            if child is not None:
                by_itself = child.returncode is not None
                if not interrupted.happened:
                    await _settle(recorder)  # so that a command that is ended by --count gets its answer before
                code = await _end(child)
                if by_itself or interrupted.happened:
                    return Ended("command", code if code >= 0 else 128 - code)
                # It was ended because enough had been seen: how says nothing, what was seen does.
                return Ended("count" if enough.is_set() else "seconds")
            if interrupted.happened:
                return Ended("interrupted")
            # The answer that made it enough is still on its way to the client, which is to get the end of it.
            await _settle(recorder)
            return Ended(next(reason for task, reason in waiting.items() if task in done))
        finally:
            for task in (*waiting, *((ticking,) if ticking is not None else ())):
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


async def _tick(recorder: Recorder, on_tick: Callable[[Recorder], None]) -> None:
    while True:
        on_tick(recorder)
        await asyncio.sleep(TICK)


async def _settle(recorder: Recorder) -> None:
    """Gives requests that are under way a moment to end."""
    deadline = asyncio.get_running_loop().time() + _LAST
    await asyncio.sleep(0.02)
    while recorder.pending and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.02)


# --- the command ----------------------------------------------------------------------------------------------------


async def _start(plan: Run, recorder: str) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *_resolved(plan.command),
            env=dict(plan.environment(recorder)),
            stdout=sys.stderr.fileno() if plan.output_to_stderr else None,
        )
    except (OSError, ValueError) as error:
        raise NoSuchProgramError(
            getattr(error, "errno", None), getattr(error, "strerror", None) or str(error)
        ) from error


def _resolved(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command with its program looked up: on Windows `claude` is `claude.cmd`, which only a search finds."""
    import shutil

    return (shutil.which(command[0]) or command[0], *command[1:])


async def _end(child: asyncio.subprocess.Process) -> int:
    """Ends the command if it does not end by itself, and gives its exit code."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
    try:
        async with asyncio.timeout(_PATIENCE):
            return await child.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        return await child.wait()


class _Interrupted:
    """What a signal asked for. Ctrl-C reaches the command by itself: it decides what that means, and its end is
    ours."""

    def __init__(self) -> None:
        self.happened = False
        self.child: asyncio.subprocess.Process | None = None


@contextlib.asynccontextmanager
async def _signals(enough: asyncio.Event) -> AsyncIterator[_Interrupted]:
    """While a command runs, Ctrl-C is the command's. SIGTERM and SIGHUP end the run in good order."""
    state = _Interrupted()
    loop = asyncio.get_running_loop()

    def on_interrupt() -> None:
        if state.child is None:
            state.happened = True
            enough.set()

    def on_terminate() -> None:
        state.happened = True
        enough.set()  # which ends the command, too

    added = []
    for name, handler in (("SIGINT", on_interrupt), ("SIGTERM", on_terminate), ("SIGHUP", on_terminate)):
        number = getattr(signal, name, None)
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            if number is not None:
                loop.add_signal_handler(number, handler)
                added.append(number)
    try:
        yield state
    finally:
        for number in added:
            loop.remove_signal_handler(number)
