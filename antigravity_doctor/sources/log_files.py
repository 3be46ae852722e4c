"""Which logs there are and what kind of file each is: the proxy's own without being told, or what the user names.

Facts: proxy-config-and-logs.md, sections 1, 4 and 5. Every file is opened for reading only.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from antigravity_doctor.diagnosis.tallying import NotRead
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

MOST_FILES = 5_000
"""Files of one folder that are looked at."""


class Source(NamedTuple):
    """One thing to read. `kind`: "text" (whatever its packing), "database", "stdin". `packing`: None, "gzip", "bz2",
    "xz", "utf-16-le" or "utf-16-be". `size` is in bytes on the disk, 0 for standard input."""

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
    sources: list[Source] = []
    unreadable: list[NotRead] = []
    for path in _own_paths(folder):
        _look(path, path.name, sources, unreadable)
    # An empty log of today says nothing, and is no reason to worry.
    return Found(tuple(sources), tuple(each for each in unreadable if each.why != "empty"), folder)


def named_logs(arguments: Iterable[str]) -> Found:
    """What the user names: files, folders, and - for standard input. A folder gives the logs directly in it."""
    sources: list[Source] = []
    unreadable: list[NotRead] = []
    seen: set[Path] = set()
    for argument in arguments:
        if argument == "-":
            sources.append(Source("-", None, "stdin"))
            continue
        path = Path(argument)
        if not path.is_dir():
            if path not in seen:
                seen.add(path)
                _look(path, argument, sources, unreadable, named=True)
            continue
        before = len(sources)
        problems: list[NotRead] = []
        for each in _in_folder(path):
            if each not in seen:
                seen.add(each)
                _look(each, str(each), sources, problems)
        # In a folder that somebody else fills, only what looks like a log and cannot be read is worth a word.
        unreadable += [each for each in problems if each.why not in ("empty", "special")]
        if len(sources) == before:
            unreadable.append(NotRead(argument, "no-logs"))
    return Found(tuple(sources), tuple(unreadable))


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
    own = [path for path in _listed(folder) if _LOGS_OWN.match(path.name) and path.suffix not in (".gz", ".bz2", ".xz")]
    own = [path for path in own if path.is_file()]
    if own:
        return max(own, key=lambda path: (path.name, path))
    logs = [path for path in _listed(folder) if _LOG_NAME.match(path.name) and path.is_file()]
    return max(logs, key=_changed, default=None)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _own_paths(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in _listed(folder / "logs") if _LOGS_OWN.match(path.name))
    database = folder / DATABASE
    if database.exists():
        yield database


def _in_folder(folder: Path) -> Iterator[Path]:
    """The logs of a folder; the proxy's data directory has them one level further down."""
    yield from sorted(path for path in _listed(folder) if _LOG_NAME.match(path.name) or path.name == DATABASE)
    if (folder / "gui_config.json").exists() or (folder / DATABASE).exists():
        yield from (path for path in _own_paths(folder) if path.name != DATABASE)


def _listed(folder: Path) -> list[Path]:
    found: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found.append(Path(entry.path))
                if len(found) >= MOST_FILES:
                    break
    except OSError:
        return []
    return found


def _look(path: Path, name: str, sources: list[Source], unreadable: list[NotRead], *, named: bool = False) -> None:
    """Sorts one path into what can be read and what cannot. `named`: the user has named it, and not its folder."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            # A pipe (`<(zcat …)`) has no beginning to look at: it is read as it comes. One that lies in a folder may
            # have nobody who writes to it, and would be waited for without an end.
            if named and stat.S_ISFIFO(found.st_mode):
                sources.append(Source(name, path, "text"))
            else:
                unreadable.append(NotRead(name, "special"))
            return
        with path.open("rb") as file:
            head = file.read(8192)
    except (FileNotFoundError, NotADirectoryError):
        unreadable.append(NotRead(name, "missing"))
        return
    except PermissionError:
        unreadable.append(NotRead(name, "denied"))
        return
    except (OSError, ValueError):
        unreadable.append(NotRead(name, "io"))
        return
    if not head:
        unreadable.append(NotRead(name, "empty"))
    elif head.startswith(_SQLITE):
        sources.append(Source(name, path, "database", None, found.st_size))
    elif (packed := next((each for mark, each in _FOREIGN.items() if head.startswith(mark)), None)) is not None:
        unreadable.append(NotRead(name, packed))
    else:
        packing = next((each for mark, each in (_PACKED | _WIDE).items() if head.startswith(mark)), None)
        if packing is None and b"\0" in head:
            unreadable.append(NotRead(name, "binary"))
        else:
            sources.append(Source(name, path, "text", packing, found.st_size))


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


@contextmanager
def opened(path: Path, packing: str | None) -> Iterator[Readable]:
    """The bytes of a log, unpacked. Raises OSError, EOFError or another error of the unpacker as it reads."""
    with _unpacking(path, packing) as file:
        yield _Wide(file, packing) if packing is not None and packing in _WIDE.values() else file


def _unpacking(path: Path, packing: str | None) -> Any:
    if packing == "gzip":
        import gzip

        return gzip.open(path, "rb")
    if packing == "bz2":
        import bz2

        return bz2.open(path, "rb")
    if packing == "xz":
        import lzma

        return lzma.open(path, "rb")
    return path.open("rb", buffering=0)
