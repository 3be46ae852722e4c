"""What ends a run of `trace`, and what becomes of the command and of requests that are under way then."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.diagnosis.recording import Exchange
from antigravity_doctor.servers.recorder import Recorder
from antigravity_doctor.servers.trace_run import Ended, NoSuchProgramError, Run, run
from tests.support.wire import OK, Peer, answering, ask, connected, get, origin, read_message, until, within

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


async def recorded(
    plan: Run, meanwhile: Callable[[Recorder], Any] | None = None, on_exchange: Callable[[Exchange], bool] | None = None
) -> tuple[Ended, list[Exchange], float]:
    """A run: how it ended, what it told, and after how many seconds. `meanwhile` gets the recorder when it listens."""
    told: list[Exchange] = []
    tasks: list[asyncio.Task[Any]] = []

    def on_start(recorder: Recorder) -> None:
        if meanwhile is not None:
            tasks.append(asyncio.ensure_future(meanwhile(recorder)))

    def each(exchange: Exchange) -> bool:
        told.append(exchange)
        return on_exchange(exchange) if on_exchange is not None else True

    began = time.perf_counter()
    ended = await run(plan, on_start, each)
    took = time.perf_counter() - began
    await asyncio.gather(*tasks)
    return ended, told, took


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", textwrap.dedent(code))


ASKING = """
    import os, urllib.request
    print(urllib.request.urlopen(os.environ["BASE_URL"] + "/v1/models").status)
"""


def with_base_url(url: str) -> dict[str, str]:
    return {**os.environ, "BASE_URL": url}


# --- without a command ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_it_ends_after_so_many_requests(count: int) -> None:
    async def test() -> None:
        async def meanwhile(recorder: Recorder) -> None:
            for _ in range(count):
                assert (await ask(recorder.port, get())).body == b'{"ok":true}'

        async with origin(answering(OK)) as upstream:
            ended, told, _ = await recorded(Run(upstream.url, count=count), meanwhile)
            assert ended == Ended("count")
            assert len(told) == count

    within(test())


def test_what_comes_beyond_the_count_is_not_told() -> None:
    async def test() -> None:
        async def meanwhile(recorder: Recorder) -> None:
            async with connected(recorder.port) as (reader, writer):
                writer.write(get() * 10)
                await read_message(reader)

        async with origin(answering(OK)) as upstream:
            _, told, _ = await recorded(Run(upstream.url, count=2), meanwhile)
            assert [each.number for each in told] == [1, 2]

    within(test())


def test_requests_under_way_get_their_answers_before_a_count_ends_the_run() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            if (await peer.request()).target == "/slow":
                await asyncio.sleep(0.3)
            await peer.say(OK)

        async def meanwhile(recorder: Recorder) -> None:
            async with connected(recorder.port) as (reader, writer):
                writer.write(get("/slow"))
                await until(lambda: recorder.pending)
                assert (await ask(recorder.port, get("/quick"))).whole
                assert (await read_message(reader)).body == b'{"ok":true}'

        async with origin(serve) as upstream:
            ended, _, took = await recorded(Run(upstream.url, count=1), meanwhile)
            assert ended == Ended("count")
            assert took < 3

    within(test())


def test_a_request_that_gets_no_answer_does_not_hold_up_the_end() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            if (await peer.request()).target == "/never":
                await peer.left()
            await peer.say(OK)

        async def meanwhile(recorder: Recorder) -> None:
            async with connected(recorder.port) as (reader, writer):
                writer.write(get("/never"))
                await until(lambda: recorder.pending)
                assert (await ask(recorder.port, get("/quick"))).whole
                assert await reader.read() == b""

        async with origin(serve) as upstream:
            ended, _, took = await recorded(Run(upstream.url, count=1), meanwhile)
            assert ended == Ended("count")
            assert took < 4

    within(test())


def test_it_ends_after_so_many_seconds() -> None:
    async def test() -> None:
        ended, told, took = await recorded(Run("http://127.0.0.1:9", seconds=0.2))
        assert (ended, told) == (Ended("seconds"), [])
        assert 0.2 <= took < 3

    within(test())


def test_it_ends_when_there_is_nobody_left_to_tell() -> None:
    async def test() -> None:
        async def meanwhile(recorder: Recorder) -> None:
            await ask(recorder.port, get())

        async with origin(answering(OK)) as upstream:
            ended, told, _ = await recorded(Run(upstream.url), meanwhile, lambda _: False)
            assert (ended, len(told)) == (Ended("count"), 1)

    within(test())


def test_a_display_is_told_again_and_again_what_is_under_way() -> None:
    async def test() -> None:
        ticks: list[int] = []
        plan = Run("http://127.0.0.1:9", seconds=0.4)
        await run(plan, lambda _: None, lambda _: True, lambda recorder: ticks.append(len(recorder.pending)))
        assert len(ticks) >= 3

    within(test())


def test_a_port_that_is_taken_is_an_error_of_the_run() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as taken:
            with pytest.raises(OSError, match="already in use"):
                await recorded(Run("http://127.0.0.1:9", port=taken.port))

    within(test())


# --- with a command -------------------------------------------------------------------------------------------------


def test_it_ends_with_the_command_which_has_used_it(capfd: pytest.CaptureFixture[str]) -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream:
            plan = Run(upstream.url, command=python(ASKING), environment=with_base_url)
            ended, told, _ = await recorded(plan)
            assert ended == Ended("command", 0)
            assert [each.observed.path for each in told] == ["/v1/models"]

    within(test())
    assert capfd.readouterr().out == "200\n"


def test_its_output_can_be_kept_out_of_ours(capfd: pytest.CaptureFixture[str]) -> None:
    plan = Run("http://127.0.0.1:9", command=python("print('said')"), output_to_stderr=True)
    within(recorded(plan))
    assert capfd.readouterr() == ("", "said\n")


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_the_exit_code_is_the_command_s(code: int) -> None:
    ended, _, _ = within(recorded(Run("http://127.0.0.1:9", command=python(f"raise SystemExit({code})"))))
    assert ended == Ended("command", code)


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_of_a_command_that_a_signal_ended_it_is_128_and_the_signal(number: int) -> None:
    ended, _, _ = within(
        recorded(Run("http://127.0.0.1:9", command=python(f"import os; os.kill(os.getpid(), {number})")))
    )
    assert ended == Ended("command", 128 + number)


@pytest.mark.parametrize("command", ["no-such-program-at-all", "./no/such/file", str(Path(__file__).parent), "a\0b"])
def test_a_command_that_cannot_be_started_is_an_error_with_a_reason(command: str) -> None:
    with pytest.raises(NoSuchProgramError) as raised:
        within(recorded(Run("http://127.0.0.1:9", command=(command,))))
    assert raised.value.strerror


@posix
def test_a_count_ends_the_command_once_it_has_its_answer(tmp_path: Path) -> None:
    async def test() -> None:
        note = tmp_path / "got"
        code = f"""
            import os, time, urllib.request
            body = urllib.request.urlopen(os.environ["BASE_URL"] + "/v1/models").read()
            open({str(note)!r}, "wb").write(body)
            time.sleep(60)
        """
        async with origin(answering(OK)) as upstream:
            plan = Run(upstream.url, count=1, command=python(code), environment=with_base_url)
            ended, told, took = await recorded(plan)
            assert (ended, len(told)) == (Ended("count"), 1)
            assert note.read_bytes() == b'{"ok":true}'
            assert took < 5

    within(test())


# --- signals, in a process of its own -------------------------------------------------------------------------------

HOST = """
    import asyncio, os, sys
    from antigravity_doctor.servers import trace_run
    from antigravity_doctor.servers.trace_run import Run, run

    trace_run._PATIENCE = 0.4
    command = tuple(sys.argv[2:])
    plan = Run(sys.argv[1], command=command, environment=lambda url: {**os.environ, "BASE_URL": url})
    told = []

    def started(recorder):
        print(recorder.port, flush=True)

    ended = asyncio.run(run(plan, started, lambda exchange: told.append(exchange) or True))
    print(ended.reason, ended.code, len(told), flush=True)
"""

OBEYS = "import signal, sys, time; print('up', flush=True); time.sleep(60)"
DECIDES = """
    import signal, sys, time
    signal.signal(signal.SIGINT, lambda *_: sys.exit(5))
    print("up", flush=True)
    time.sleep(60)
"""
SHRUGS = """
    import signal, time
    signal.signal(signal.SIGINT, lambda *_: print("shrug", flush=True))
    print("up", flush=True)
    time.sleep(0.4); time.sleep(0.1)
"""
STUBBORN = """
    import signal, time
    signal.signal(signal.SIGTERM, lambda *_: None)
    print("up", flush=True)
    for _ in range(600): time.sleep(0.1)
"""


def started(*command: str) -> tuple[subprocess.Popen[str], int]:
    """A run in a process group of its own, and its port; with a command, when that is up."""
    process = subprocess.Popen(
        [*python(HOST), "http://127.0.0.1:9", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    port = int(process.stdout.readline())
    if command:
        assert process.stdout.readline() == "up\n"
    return process, port


def end_of(process: subprocess.Popen[str]) -> tuple[str, str, float]:
    """What it said last, what it complained of, and how many seconds that took."""
    began = time.perf_counter()
    try:
        out, err = process.communicate(timeout=20)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return out, err, time.perf_counter() - began


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_at_once_and_without_a_traceback(number: int) -> None:
    process, _ = started()
    process.send_signal(number)
    out, err, took = end_of(process)
    assert (out, err, process.returncode) == ("interrupted None 0\n", "", 0)
    assert took < 3


@posix
def test_ctrl_c_ends_it_at_once_with_requests_under_way() -> None:
    with subprocess.Popen(
        [
            *python("""
            import socket, time
            s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(60)
        """)
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as silent:
        assert silent.stdout is not None
        process = subprocess.Popen(
            [*python(HOST), f"http://127.0.0.1:{silent.stdout.readline().strip()}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        port = int(process.stdout.readline())

        async def test() -> None:
            async with connected(port) as (reader, writer):
                writer.write(get())
                await asyncio.sleep(0.1)
                process.send_signal(signal.SIGINT)
                assert await reader.read() == b""

        within(test())
        out, err, _ = end_of(process)
        assert (out, err) == ("interrupted None 1\n", "")
        silent.kill()


@posix
@pytest.mark.parametrize(
    ("command", "ends"),
    [(DECIDES, "command 5 0\n"), (SHRUGS, "shrug\ncommand 0 0\n")],
    ids=["ends", "goes-on"],
)
def test_ctrl_c_is_the_command_s(command: str, ends: str) -> None:
    process, _ = started(*python(command))
    os.killpg(process.pid, signal.SIGINT)
    out, err, _ = end_of(process)
    assert (out, err, process.returncode) == (ends, "", 0)


@posix
def test_sigterm_ends_the_command_as_well() -> None:
    process, _ = started(*python(OBEYS))
    process.send_signal(signal.SIGTERM)
    out, err, took = end_of(process)
    assert (out, err) == (f"command {128 + signal.SIGTERM} 0\n", "")
    assert took < 4


@posix
def test_a_command_that_does_not_end_is_killed() -> None:
    process, _ = started(*python(STUBBORN))
    process.send_signal(signal.SIGTERM)
    out, err, took = end_of(process)
    assert (out, err) == (f"command {128 + signal.SIGKILL} 0\n", "")
    assert 0.4 <= took < 6
