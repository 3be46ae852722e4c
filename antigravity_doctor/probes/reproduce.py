"""The curl and PowerShell lines that repeat a probe. They name the variable that holds the key, never the key.

Nothing from outside reaches a shell unquoted: every line is safe to paste, whatever a server or a user put into a URL.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

KEY_VARIABLE = "AGDOCTOR_API_KEY"
"""The environment variable that the lines read the key from; `agdoctor check` reads it as well."""

KEY_MARK = "{key}"
"""What stands for the key in the headers given to `curl_line` and `powershell_line`."""

_POWERSHELL_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"})
_QUOTES = "'‘’‚‛"
"""What PowerShell takes for a single quote; each is doubled inside a single-quoted string."""


def curl_line(
    method: str, url: str, headers: Mapping[str, str] | None = None, *, timeout: float, direct: bool = True
) -> str:
    """A curl command for POSIX shells. `direct` keeps HTTP proxies from the environment out, as the probe did.

    `--globoff` and `--path-as-is` keep curl from reading `[]{}` as patterns and from tidying the path.
    """
    words = ["curl", "-sS", "-i", "--globoff", "--path-as-is", "--max-time", f"{timeout:g}"]
    if direct:
        words += ["--noproxy", "'*'"]
    words += ["-I"] if method == "HEAD" else [] if method == "GET" else ["-X", shlex.quote(method)]
    for name, value in (headers or {}).items():
        words += ["-H", _posix_header(name, value)]
    words.append(shlex.quote(url))
    return " ".join(words)


def _posix_header(name: str, value: str) -> str:
    if KEY_MARK not in value:
        return shlex.quote(f"{name}: {value}")
    before, _, after = value.partition(KEY_MARK)
    return f'"{_double_quoted(name)}: {_double_quoted(before)}${KEY_VARIABLE}{_double_quoted(after)}"'


def _double_quoted(text: str) -> str:
    return "".join("\\" + char if char in '\\"$`' else char for char in text)


def powershell_line(
    method: str, url: str, headers: Mapping[str, str] | None = None, *, timeout: float, direct: bool = True
) -> str:
    """The same request for PowerShell 7 (its older brother throws on every status that is not 2xx).

    .NET rewrites some paths (dot segments, needless percent-escapes); those go through curl.exe, which is part of
    Windows and sends them as they are.
    """
    if _rewritten_by_dotnet(url) or method not in _POWERSHELL_METHODS:
        return _curl_exe(method, url, headers, timeout, direct)
    words = ["Invoke-WebRequest", "-Method", method.capitalize(), "-Uri", _single(url)]
    if headers:
        pairs = "; ".join(f"{_single(name)} = {_powershell_value(value)}" for name, value in headers.items())
        words += ["-Headers", "@{" + pairs + "}"]
    words += ["-SkipHttpErrorCheck", "-SkipHeaderValidation", "-MaximumRedirection", "0"]
    words += ["-TimeoutSec", str(max(1, round(timeout)))]
    if direct:
        words.append("-NoProxy")
    return " ".join(words)


def _curl_exe(method: str, url: str, headers: Mapping[str, str] | None, timeout: float, direct: bool) -> str:
    words = ["curl.exe", "-sS", "-i", "--globoff", "--path-as-is", "--max-time", f"{timeout:g}"]
    if direct:
        words += ["--noproxy", "'*'"]
    words += ["-I"] if method == "HEAD" else [] if method == "GET" else ["-X", _single(method)]
    for name, value in (headers or {}).items():
        words += ["-H", _powershell_value(f"{name}: {value}")]
    words.append(_single(url))
    return " ".join(words)


def _powershell_value(value: str) -> str:
    """A string literal; one that holds the key is put together from the variable and quoted pieces."""
    if KEY_MARK not in value:
        return _single(value)
    before, _, after = value.partition(KEY_MARK)
    pieces = [_single(before)] if before else []
    pieces.append(f"$env:{KEY_VARIABLE}")
    pieces += [_single(after)] if after else []
    return pieces[0] if len(pieces) == 1 else "(" + " + ".join(pieces) + ")"


def _single(text: str) -> str:
    return "'" + "".join(char * 2 if char in _QUOTES else char for char in text) + "'"


def _rewritten_by_dotnet(url: str) -> bool:
    """True for a URL that System.Uri would not send as it is written."""
    path = url.partition("://")[2].partition("/")[2].partition("?")[0]
    segments = path.split("/")
    return "%" in url or "\\" in url or "." in segments or ".." in segments
