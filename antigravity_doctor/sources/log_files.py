"""Which logs there are and what kind of file each is: the proxy's own without being told, or what the user names.

Facts: proxy-config-and-logs.md, sections 1, 4 and 5. Every file is opened for reading only.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from antigravity_doctor.diagnosis.tallying import NotRead
from antigravity_doctor.sources.home_paths import with_tilde
from antigravity_doctor.sources.proxy_settings import data_directory

if TYPE_CHECKING:
    from antigravity_doctor.sources.log_fast import Readable

DATABASE = "proxy_logs.db"
_SQLITE = b"SQLite format 3\0"
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "xz"}
_FOREIGN = {b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"7z\xbc\xaf\x27\x1c": "7z", b"\x04\x22\x4d\x18": "lz4"}
_WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_LOG_NAME = re.compile(
    r"(?i)^(?:[^.].*)?(?:\.log(?:[.\-_].*)?|access[^/]*|\.jsonl|\.ndjson)(?:\.(?:gz|bz2|xz))?$|^u_ex\d+\.log$"
)
_LOGS_OWN = re.compile(r"^app\.log(?:\.\d{4}-\d\d-\d\d)?(?:\.(?:gz|bz2|xz))?$")

HEAD = 8192
"""Bytes at the beginning of a file that say what it is."""

MOST_FILES = 5_000
"""Files of one folder that are looked at."""


class Source(NamedTuple):
    """One thing to read. `kind`: "text" (whatever its packing), "database", or "stdin" and "pipe", which are looked at
    when they are read. `packing`: None, "gzip", "bz2", "xz", "utf-16-le" or "utf-16-be". `size` is in bytes on the
    disk, 0 for a stream."""

    name: str
    path: Path | None
    kind: str
    packing: str | None = None
    size: int = 0


class Found(NamedTuple):
    """What there is to read. `folder` is the proxy's data directory, where it was looked for."""

    sources: tuple[Source, ...]
    unreadable: tuple[NotRead, ...]
    folder: Path | None = None


def own_logs(environment: Mapping[str, str]) -> Found:
    """The proxy's logs and its traffic database on this machine, the oldest file first. Nothing found is no error."""
    folder = data_directory(environment)
    if folder is None:
        return Found((), (), None)
    seen = _Seen()
    home = environment.get("HOME") or environment.get("USERPROFILE") or ""
    for path in _own_paths(folder):
        if path is None:
            seen.unreadable.append(NotRead(with_tilde(str(folder / "logs"), home), "denied"))
        else:
            seen.look(path, path.name)
    # An empty log of today says nothing, and is no reason to worry.
    return Found(tuple(seen.sources), tuple(each for each in seen.unreadable if each.why != "empty"), folder)


def named_logs(arguments: Iterable[str]) -> Found:
    """What the user names: files, folders, and - for standard input. A folder gives the logs directly in it."""
    seen = _Seen()
    for argument in arguments:
        if argument == "-":
            seen.sources.append(Source("-", None, "stdin"))
        elif is_folder(Path(argument)):
            _look_into(Path(argument), argument, seen)
        else:
            seen.look(Path(argument), argument, named=True)
    return Found(tuple(seen.sources), tuple(seen.unreadable))


def _look_into(folder: Path, name: str, seen: _Seen) -> None:
    before = len(seen.unreadable)
    found = denied = False
    for path in _in_folder(folder):
        if path is None:
            denied = True
        else:
            found = seen.look(path, str(path)) or found
    # In a folder that somebody else fills, only what looks like a log and cannot be read is worth a word.
    seen.unreadable[before:] = [each for each in seen.unreadable[before:] if each.why not in ("empty", "special")]
    if denied:
        seen.unreadable.append(NotRead(name, "denied"))
    elif not found and len(seen.unreadable) == before:
        seen.unreadable.append(NotRead(name, "no-logs"))


def look_at(path: Path) -> Source | NotRead:
    """One file that was named: what it is, or why it cannot be read."""
    seen = _Seen()
    seen.look(path, str(path), named=True)
    return seen.sources[0] if seen.sources else seen.unreadable[0]


def is_own_log(name: str) -> bool:
    """Whether a file of this name is one of the proxy's own logs."""
    return _LOGS_OWN.match(name) is not None


def newest_log(environment: Mapping[str, str]) -> Path | None:
    """The proxy's log that is written now: the newest by its day, then by its time of change."""
    folder = data_directory(environment)
    if folder is None:
        return None
    return newest_in(folder / "logs")


def newest_in(folder: Path) -> Path | None:
    """The log of a folder that was written last; of the proxy's own the one with the latest day in its name. Only plain
    files: a pipe would be waited for."""
    every = _listed(folder) or []
    own = [path for path in every if _LOGS_OWN.match(path.name) and path.suffix not in (".gz", ".bz2", ".xz")]
    own = [path for path in own if is_file(path)]
    if own:
        return max(own, key=lambda path: (path.name, path))
    logs = [path for path in every if _LOG_NAME.match(path.name) and is_file(path)]
    return max(logs, key=_changed, default=None)


# `Path.is_dir` and its like raise an error where a folder above may not be entered; what is asked here is only whether
# there is something to read.


def is_folder(path: Path) -> bool:
    """Whether this is a folder, as far as one may know. Never raises."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Whether this is a plain file, as far as one may know. Never raises."""
    return os.path.isfile(path)  # noqa: PTH113


def may_list(folder: Path) -> bool:
    """Whether one may look into a folder, if it is there."""
    return _listed(folder) is not None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _own_paths(folder: Path) -> Iterator[Path | None]:
    """The proxy's logs and its database; None for a folder that may not be looked into."""
    logs = _listed(folder / "logs")
    if logs is None:
        yield None
    yield from _sorted(path for path in logs or [] if _LOGS_OWN.match(path.name))
    if os.path.exists(folder / DATABASE):  # noqa: PTH110
        yield folder / DATABASE


def _in_folder(folder: Path) -> Iterator[Path | None]:
    """The logs of a folder, None for one that may not be looked into; the proxy's data directory has its logs one level
    further down."""
    every = _listed(folder)
    if every is None:
        yield None
        return
    yield from _sorted(path for path in every if _LOG_NAME.match(path.name) or path.name == DATABASE)
    if any(path.name in ("gui_config.json", DATABASE) for path in every):
        yield from (path for path in _own_paths(folder) if path is None or path.name != DATABASE)


def _sorted(paths: Iterable[Path]) -> list[Path]:
    """By name, links last: a file that has several names is known by its own."""
    return sorted(paths, key=lambda path: (os.path.islink(path), path))  # noqa: PTH114


def _listed(folder: Path) -> list[Path] | None:
    """What is in a folder; [] where there is no such folder, None where it may not be looked into."""
    found: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found.append(Path(entry.path))
                if len(found) >= MOST_FILES:
                    break
    except PermissionError:
        return None
    except OSError:
        return []
    return found


class _Seen:
    """What was looked at: what can be read of it, and what cannot. A file that has several names is read once."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.unreadable: list[NotRead] = []
        self._paths: set[Path] = set()
        self._files: set[tuple[int, int]] = set()

    def look(self, path: Path, name: str, *, named: bool = False) -> bool:
        """Sorts one path into one or the other; True if it can be read. `named`: the user has named it, and not its
        folder."""
        if path in self._paths:
            return True
        self._paths.add(path)
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                # A pipe (`<(zcat …)`) has no beginning to look at: it is read as it comes. One that lies in a folder
                # may have nobody who writes to it, and would be waited for without an end.
                if named and stat.S_ISFIFO(found.st_mode):
                    self.sources.append(Source(name, path, "pipe"))
                    return True
                return self._cannot(name, "special")
            which = (found.st_dev, found.st_ino)
            if found.st_ino and which in self._files:
                return True
            self._files.add(which)
            with path.open("rb") as file:
                head = file.read(HEAD)
        except (FileNotFoundError, NotADirectoryError):
            return self._cannot(name, "missing")
        except PermissionError:
            return self._cannot(name, "denied")
        except (OSError, ValueError):
            return self._cannot(name, "io")
        kind, packing = recognised(head)
        if kind not in ("text", "database"):
            return self._cannot(name, kind)
        self.sources.append(Source(name, path, kind, packing, found.st_size))
        return True

    def _cannot(self, name: str, why: str) -> bool:
        self.unreadable.append(NotRead(name, why))
        return False


def recognised(head: bytes) -> tuple[str, str | None]:
    """What a file is by its first bytes: "text" and its packing, "database", or why it cannot be read (NotRead)."""
    if not head:
        return "empty", None
    if head.startswith(_SQLITE):
        return "database", None
    foreign = next((each for mark, each in _FOREIGN.items() if head.startswith(mark)), None)
    if foreign is not None:
        return foreign, None
    packing = next((each for mark, each in (_PACKED | _WIDE).items() if head.startswith(mark)), None)
    if packing is None and b"\0" in head:
        return "binary", None
    return "text", packing


# --- opening ---------------------------------------------------------------------------------------------------------


class _Wide:
    """UTF-16 (what PowerShell's `>` writes) as UTF-8."""

    def __init__(self, file: Any, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._rest = b""

    def readinto(self, buffer: memoryview, /) -> int:
        while not self._rest:
            piece = self._file.read(1 << 16)
            text = self._decoder.decode(piece, not piece)
            self._rest = text.lstrip("\ufeff").encode("utf-8", "replace")
            if not piece and not self._rest:
                return 0
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


class RefusedError(Exception):
    """A stream holds no text. The message is the `why` of a NotRead."""


class _Stream(io.RawIOBase):
    """A stream as it comes, with its beginning, which was looked at, put back in front."""

    def __init__(self, stream: BinaryIO) -> None:
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self.head = b""
        while len(self.head) < HEAD and (piece := self._read(HEAD)):
            self.head += piece
        self._rest = self.head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        piece = self._rest or self._read(len(buffer)) or b""
        taken = piece[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = piece[len(taken) :]
        return len(taken)


@contextmanager
def opened(path: Path, packing: str | None) -> Iterator[Readable]:
    """The bytes of a log, unpacked. Raises OSError, EOFError or another error of the unpacker as it reads."""
    with path.open("rb", buffering=0) if packing in (None, *_WIDE.values()) else path.open("rb") as file:
        yield _unpacked(file, packing)


def streamed(stream: BinaryIO) -> Readable:
    """The bytes of standard input or of a pipe, unpacked by what they begin with. Raises RefusedError where they are no
    text, and what `opened` raises."""
    coming = _Stream(stream)
    kind, packing = recognised(coming.head)
    if kind != "text":
        # A database can be read where it lies, and nowhere else.
        raise RefusedError("binary" if kind == "database" else kind)
    return _unpacked(coming, packing)


def _unpacked(file: Any, packing: str | None) -> Readable:
    found: Any = file
    if packing == "gzip":
        import gzip

        found = gzip.GzipFile(fileobj=file)
    elif packing == "bz2":
        import bz2

        found = bz2.BZ2File(file)
    elif packing == "xz":
        import lzma

        found = lzma.LZMAFile(file)  # noqa: SIM115 - the file beneath is closed by whoever has opened it
    elif packing is not None:
        found = _Wide(file, packing)
    return found  # type: ignore[no-any-return]
