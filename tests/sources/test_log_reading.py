"""Files in, counts out: packed and plain, whole and broken, one process and two, and memory that stays flat."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from antigravity_doctor.diagnosis.tallying import NotRead, Observation
from antigravity_doctor.sources import log_fast, log_reading
from antigravity_doctor.sources.log_fast import Bulk, Store, read_blocks
from antigravity_doctor.sources.log_files import Source, named_logs, newest_in, newest_log, own_logs
from antigravity_doctor.sources.log_reading import LogsRead, read_logs

LINE = '10.0.0.1 - - [04/Feb/2026:02:15:{:02} +0000] "POST {} HTTP/1.1" 404 0 "-" "node"\n'


def log(*paths: str) -> str:
    return "".join(LINE.format(number % 60, path) for number, path in enumerate(paths))


def read(*arguments: object, stdin: bytes = b"") -> LogsRead:
    return read_logs(named_logs(map(str, arguments)).sources, stdin=io.BytesIO(stdin))


def counts(found: LogsRead) -> dict[str, int]:
    return {each.path: each.times for each in found.observations}


Closer = Callable[[Path], None]


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Closer:
    """Closes a file or folder to everybody: root, who may read everything, gets the answers of the system as well."""
    places: list[Path] = []

    def refusing(call: Callable[..., object]) -> Callable[..., object]:
        def asked(place: object, *arguments: object, **options: object) -> object:
            if isinstance(place, (str, Path)):
                for each in places:
                    inside = each in Path(place).parents
                    if inside or (Path(place) == each and call not in (os.stat, os.lstat)):
                        raise PermissionError(errno.EACCES, "Permission denied", str(place))
            return call(place, *arguments, **options)

        return asked

    for name in ("stat", "lstat", "scandir", "open"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    monkeypatch.setattr(io, "open", refusing(io.open))
    return places.append


# --- what there is to read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gz", "bz2", "xz"])
def test_packed_logs_are_read_by_their_content_not_their_name(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    path = tmp_path / "access.log"
    path.write_bytes(pack(log("/a", "/b", "/a").encode()))
    assert counts(read(path)) == {"/a": 2, "/b": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_what_powershell_writes_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "docker.txt"
    mark = "" if encoding == "utf-16" else "\ufeff"
    path.write_bytes((mark + log("/a", "/b")).encode(encoding))
    assert counts(read(path)) == {"/a": 1, "/b": 1}
    assert counts(read("-", stdin=path.read_bytes())) == {"/a": 1, "/b": 1}


def test_standard_input_is_read() -> None:
    found = read("-", stdin=log("/a").encode())
    assert counts(found) == {"/a": 1}
    assert found.files[0].name == "-"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_standard_input_is_unpacked_by_its_content(pack: object) -> None:
    assert callable(pack)
    assert counts(read("-", stdin=pack(log("/a", "/b").encode()))) == {"/a": 1, "/b": 1}


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty"), (b"SQLite format 3\0xx", "binary"), (b"\x7fELF\0", "binary"), (b"\x28\xb5\x2f\xfdxx", "zstd")],
    ids=["empty", "a database", "a program", "zstd"],
)
def test_standard_input_that_is_no_text_is_not_read(content: bytes, why: str) -> None:
    found = read("-", stdin=content)
    assert found.unreadable == (NotRead("-", why),)
    assert found.files == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\x7fELF\x02\x01\x00\x00", "binary"),
        (b"\x28\xb5\x2f\xfdxxxx", "zstd"),
        (b"PK\x03\x04xxxx", "zip"),
        (b"\x04\x22\x4d\x18xxxx", "lz4"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(content)
    assert named_logs([str(path)]).unreadable == (NotRead(str(path), why),)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    name = str(tmp_path / "nowhere.log")
    assert named_logs([name]).unreadable == (NotRead(name, "missing"),)


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, closed: Closer) -> None:
    path = tmp_path / "a.log"
    path.write_text(log("/a"))
    closed(path)
    assert named_logs([str(path)]).unreadable == (NotRead(str(path), "denied"),)


def test_a_folder_that_may_not_be_entered_is_said_and_costs_nothing_else(tmp_path: Path, closed: Closer) -> None:
    inside, good = tmp_path / "nd" / "access.log", tmp_path / "good.log"
    inside.parent.mkdir()
    inside.write_text(log("/a"))
    good.write_text(log("/b"))
    closed(inside.parent)
    found = named_logs([str(inside), str(inside.parent), str(good)])
    assert found.unreadable == (NotRead(str(inside), "denied"), NotRead(str(inside.parent), "denied"))
    assert [each.path for each in found.sources] == [good]


def test_the_proxys_own_folder_that_may_not_be_entered_is_said(tmp_path: Path, closed: Closer) -> None:
    (tmp_path / ".antigravity_tools" / "logs").mkdir(parents=True)
    closed(tmp_path / ".antigravity_tools")
    found = own_logs({"HOME": str(tmp_path)})
    assert found.sources == ()
    assert found.unreadable == (NotRead("~/.antigravity_tools/logs", "denied"),)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_a_file_with_several_names_is_read_once_and_by_its_own(tmp_path: Path) -> None:
    real, link, hard = tmp_path / "b.log", tmp_path / "a.log", tmp_path / "c.log"
    real.write_text(log("/a"))
    link.symlink_to(real)
    hard.hardlink_to(real)
    assert [each.path for each in named_logs([str(tmp_path)]).sources] == [real]
    assert counts(read(link, real)) == {"/a": 1}
    assert named_logs([str(real), str(tmp_path)]).unreadable == ()


def test_a_folder_gives_its_logs_and_nothing_else(tmp_path: Path) -> None:
    for name in ("access.log", "access.log.1", "access.log.2.gz", "other.txt", ".hidden.log", "data.json"):
        (tmp_path / name).write_bytes(gzip.compress(log("/z").encode()) if name.endswith("gz") else log("/a").encode())
    (tmp_path / "empty.log").touch()
    found = named_logs([str(tmp_path)])
    assert [each.path and each.path.name for each in found.sources] == ["access.log", "access.log.1", "access.log.2.gz"]
    assert found.unreadable == ()


def test_a_folder_without_logs_is_said(tmp_path: Path) -> None:
    assert named_logs([str(tmp_path)]).unreadable == (NotRead(str(tmp_path), "no-logs"),)


def test_the_same_file_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(log("/a"))
    assert counts(read(path, tmp_path, path)) == {"/a": 1}


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HOME": "{tmp}"}, "{tmp}/.antigravity_tools"),
        ({"USERPROFILE": "{tmp}"}, "{tmp}/.antigravity_tools"),
        ({"HOME": "/elsewhere", "ABV_DATA_DIR": "{tmp}/data"}, "{tmp}/data"),
    ],
)
def test_the_proxys_own_logs_are_found(tmp_path: Path, environment: dict[str, str], folder: str) -> None:
    logs = Path(folder.format(tmp=tmp_path)) / "logs"
    logs.mkdir(parents=True)
    for name in ("app.log", "app.log.2026-02-03", "app.log.2026-02-04", "warmup.log", "app.log.bak"):
        (logs / name).write_text(log("/a"))
    (logs / "app.log.2026-02-05").touch()  # today's, still empty
    found = own_logs({name: value.format(tmp=tmp_path) for name, value in environment.items()})
    assert [each.name for each in found.sources] == ["app.log", "app.log.2026-02-03", "app.log.2026-02-04"]
    assert found.unreadable == ()
    assert found.folder == logs.parent
    assert (newest_in(logs) or logs).name == "app.log.2026-02-05"


def test_no_logs_at_all_is_no_error(tmp_path: Path) -> None:
    assert own_logs({"HOME": str(tmp_path)}).sources == ()


# --- pipes, which are read only where somebody means to fill them ---------------------------------------------------


pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")


@pipes
def test_a_pipe_that_is_named_is_read_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    holder = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    (source,) = named_logs([str(path)]).sources
    os.write(holder, log("/a").encode())
    end = threading.Timer(0.2, os.close, [holder])
    end.start()
    assert counts(read_logs([source])) == {"/a": 1}
    end.join()


@pipes
def test_a_pipe_in_a_folder_of_logs_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "access.log")
    (tmp_path / "error.log").write_text(log("/a"))
    found = named_logs([str(tmp_path)])
    assert [each.path and each.path.name for each in found.sources] == ["error.log"]
    assert found.unreadable == ()
    assert newest_in(tmp_path) == tmp_path / "error.log"


@pipes
@pytest.mark.parametrize("name", ["logs/app.log", "proxy_logs.db"])
def test_a_pipe_in_the_place_of_the_proxys_own_is_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "logs").mkdir()
    os.mkfifo(tmp_path / name)
    environment = {"ABV_DATA_DIR": str(tmp_path)}
    found = own_logs(environment)
    assert found.sources == ()
    assert found.unreadable == (NotRead(Path(name).name, "special"),)
    assert newest_log(environment) is None


@pipes
def test_what_comes_through_a_pipe_is_unpacked_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    holder = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(holder, gzip.compress(log("/a").encode()))
    end = threading.Timer(0.2, os.close, [holder])
    end.start()
    assert counts(read(path)) == {"/a": 1}
    end.join()


# --- broken ----------------------------------------------------------------------------------------------------------


def test_an_archive_that_breaks_off_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(20) + log(*(f"/{number}" for number in range(20_000))).encode())
    path = tmp_path / "access.log.gz"
    path.write_bytes(whole[: len(whole) * 3 // 4])
    found = read(path)
    assert found.files[0].problem == "cut-off"
    assert 1000 < len(found.observations) < 20_000


def test_a_last_line_without_an_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(log("/a", "/b").rstrip("\n"))
    assert counts(read(path)) == {"/a": 1, "/b": 1}
    assert read(path).files[0].lines == 2


def test_a_line_without_an_end_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_fast, "LONGEST_LINE", 1 << 17)
    store = Store()
    raw = log("/a").encode() + b"x" * (1 << 19) + b"\n" + log("/b").encode()
    read_blocks(io.BytesIO(raw), Bulk(store), store)
    assert [key[2] for key in store.entries] == ["/a", "/b"]
    assert store.unread == 1


def test_lines_that_are_too_many_to_be_read_one_by_one_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_fast, "MOST_EXACT", 3)
    store = Store()
    odd = "method=POST uri=/v1/x status=404\n"
    read_blocks(io.BytesIO((log("/a") + odd * 10).encode()), Bulk(store), store)
    assert store.unread == 7


@pytest.mark.parametrize("odd", ["aa", "1a", " 1", "", "-1"])
def test_a_time_that_is_none_costs_no_line_but_its_own_time(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "access.log"
    path.write_text(log("/a") + LINE.replace("{:02}", odd).replace("{}", "/odd") + log("/b"))
    found = read(path)
    assert found.files[0].problem is None
    assert counts(found) == {"/a": 1, "/odd": 1, "/b": 1}


def test_requests_of_the_proxys_log_are_counted_once_however_often_it_speaks_of_them(tmp_path: Path) -> None:
    path = tmp_path / "app.log.2026-02-04"
    span = "request{method=POST uri=/a version=HTTP/1.1}: "
    said = ["Request: POST /a", "[Monitor] Logging request: POST /a", span + "finished processing request status=404"]
    path.write_text("".join(f"2026-02-04T02:15:30Z  INFO x: {each}\n" for each in said * 2).replace("x: req", "req"))
    (file,) = read(path).files
    assert (file.format, file.requests) == ("proxy", 2)


# --- what the proxy says of its start --------------------------------------------------------------------------------


STARTED = "2026-02-04T02:15:30Z  INFO x::server: 反代服务器启动在 http://127.0.0.1:8045\n"
FAILED = "2026-02-04T02:15:30Z ERROR x: 启动管理服务器失败: 地址 127.0.0.1:8045 绑定失败: in use (os error 98)\n"
OLD = "2026-02-04T02:15:30Z ERROR x: 端口 8045 绑定失败: Address already in use\n"
REQUEST = "2026-02-04T02:15:30Z  INFO x::auth: Request: POST /a\n"


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        (FAILED, ("127.0.0.1:8045", "in use (os error 98)")),
        (OLD + REQUEST, ("8045", "Address already in use")),
        (STARTED + REQUEST + FAILED, ("127.0.0.1:8045", "in use (os error 98)")),
        (FAILED + STARTED, None),
        (STARTED, None),
        (REQUEST, None),
        (REQUEST + "2026-02-04T02:15:30Z  INFO x: 绑定失败 is Chinese\n", None),
    ],
    ids=["failed", "before 3.3.0", "failed later", "failed earlier", "went well", "no word", "another word"],
)
def test_the_last_start_of_the_proxy_is_told_where_it_failed(
    tmp_path: Path, text: str, failed: tuple[str, str] | None
) -> None:
    path = tmp_path / "app.log"
    path.write_text(text, encoding="utf-8")
    found = read(path).failed_start
    assert (found if found is None else found[1:]) == failed
    assert found is None or found.when == 1770171330.0


def test_a_later_file_speaks_of_the_later_start(tmp_path: Path) -> None:
    for name, text in {
        "app.log.2026-02-03": FAILED,
        "app.log.2026-02-04": STARTED,
        "app.log.2026-02-05": REQUEST,
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert read(tmp_path).failed_start is None
    assert read(tmp_path / "app.log.2026-02-03").failed_start is not None


# --- bounded ---------------------------------------------------------------------------------------------------------


def test_distinct_paths_are_bounded_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_fast, "MOST_PATHS", 50)
    monkeypatch.setattr(log_fast, "RESERVED", 20)
    store = Store()
    paths = [f"/scan/{number}" for number in range(100)] + [f"/v1/v1/messages/{number}" for number in range(100)]
    read_blocks(io.BytesIO(log(*paths, *paths).encode()), Bulk(store), store)
    kept = [key[2] for key in store.entries]
    assert sum(each.startswith("/scan") for each in kept) == 50
    assert sum(each.startswith("/v1") for each in kept) == 20, "a scanner crowds out no API path"
    assert store.requests == 400
    assert store.others == 400 - 2 * 70


def test_queries_are_dropped_at_once() -> None:
    store = Store()
    lines = log(*(f"/v1/messages?secret={number}" for number in range(5000)))
    read_blocks(io.BytesIO(lines.encode()), Bulk(store), store)
    assert [key[2] for key in store.entries] == ["/v1/messages"]


def test_agents_are_bounded() -> None:
    store = Store()
    lines = "".join(log("/a").replace("node", f"agent {number}") for number in range(100))
    read_blocks(io.BytesIO(lines.encode()), Bulk(store), store)
    (entry,) = store.entries.values()
    assert entry.count == 100
    assert len(entry.agents) == log_fast.MOST_AGENTS


@pytest.mark.parametrize("size", [1, 7, 100, 1000, 5000])
def test_where_a_block_ends_does_not_matter(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_fast, "BLOCK", size)
    store = Store()
    read_blocks(io.BytesIO(log(*["/a", "/b", "/a", "/c"] * 30).encode()), Bulk(store), store)
    assert {key[2]: entry.count for key, entry in store.entries.items()} == {"/a": 60, "/b": 30, "/c": 30}
    assert store.lines == 120


# --- two processes ---------------------------------------------------------------------------------------------------


def sorted_observations(found: LogsRead) -> list[Observation]:
    return sorted(found.observations)


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Source, ...]:
    monkeypatch.setattr(log_reading, "_PIECE", 1 << 14)
    (tmp_path / "a.log").write_text(log(*(f"/v1/x{number % 700}" for number in range(5000))))
    (tmp_path / "b.log").write_text(log(*(f"/v1/x{number % 11}" for number in range(800))))
    (tmp_path / "c.log.gz").write_bytes(gzip.compress(log("/v1/x1", "/c").encode()))
    return named_logs([str(tmp_path)]).sources


@pytest.mark.skipif(sys.platform != "linux", reason="a second process is used on Linux only")
def test_two_processes_find_what_one_finds(many: tuple[Source, ...]) -> None:
    one, two = read_logs(many, processes=1), read_logs(many, processes=2)
    assert sorted_observations(one) == sorted_observations(two)
    assert one.files == two.files
    assert sum(each.times for each in two.observations) == 5802


@pytest.mark.skipif(sys.platform != "linux", reason="a second process is used on Linux only")
def test_progress_of_both_is_told(many: tuple[Source, ...]) -> None:
    told: list[int] = []
    read_logs(many, processes=2, progress=told.append)
    assert sum(told) == pytest.approx(sum(each.size for each in many), rel=0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="a second process is used on Linux only")
def test_where_the_second_process_dies_the_first_does_its_work(
    many: tuple[Source, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = os.getpid()
    do = log_reading._do

    def fatal(*arguments: object) -> object:
        if os.getpid() != me:
            os._exit(9)
        return do(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(log_reading, "_do", fatal)
    assert sum(each.times for each in read_logs(many, processes=2).observations) == 5802


@pytest.mark.skipif(sys.platform != "linux", reason="a second process is used on Linux only")
@pytest.mark.parametrize("call", ["fork", "pipe"])
def test_where_no_second_process_is_to_be_had_the_first_does_its_work(
    many: tuple[Source, ...], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def none_left() -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, call, none_left)
    before = len(list(Path("/proc/self/fd").iterdir()))
    found = read_logs(many, processes=2)
    assert sum(each.times for each in found.observations) == 5802
    assert [each.problem for each in found.files] == [None] * 3
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_store_that_was_dumped_and_merged_is_the_same() -> None:
    store, other = Store(), Store()
    read_blocks(io.BytesIO(log("/a", "/b", "/a").encode()), Bulk(store), store)
    other.merge(store.dump())
    other.merge(store.dump())
    assert {key[2]: entry.count for key, entry in other.entries.items()} == {"/a": 4, "/b": 2}
    assert (other.requests, other.lines) == (6, 6)
    assert (other.first, other.last) == (store.first, store.last)
