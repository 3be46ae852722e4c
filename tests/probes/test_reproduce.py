"""The lines that repeat a request: they work when pasted, run nothing else, and never hold a key."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from antigravity_doctor.probes.reproduce import KEY_MARK, KEY_VARIABLE, curl_line, powershell_line
from tests.support.hostile import hostile

BEARER = {"Authorization": f"Bearer {KEY_MARK}"}

NASTY = [
    "/v1/models",
    "//v1/models",
    "/v1/%6dodels",
    "/../etc",
    "/$(touch pwned)",
    "/`touch pwned`",
    "/'; touch pwned; '",
    "/a&b|c;d>e",
    '/"quoted"',
    "/{a,b}[1-3]",
    "/a?x=$HOME&y='z'",
    "/-o/x",
]


@pytest.mark.parametrize("path", NASTY)
def test_a_shell_reads_the_url_as_one_word(path: str) -> None:
    url = "http://127.0.0.1:8045" + path
    assert shlex.split(curl_line("OPTIONS", url, timeout=3))[-1] == url


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("sh") is None, reason="no curl here")
@pytest.mark.parametrize("path", [path for path in NASTY if " " not in path])
def test_the_pasted_curl_line_sends_the_very_request(path: str, tmp_path: Path) -> None:
    with hostile("web-page") as server:
        line = curl_line("GET", server.origin + path, BEARER, timeout=3)
        environment = {"PATH": os.environ["PATH"], KEY_VARIABLE: "sk-planted"}
        subprocess.run(["sh", "-c", line], env=environment, cwd=tmp_path, capture_output=True, timeout=10, check=True)
    assert server.requests == [f"GET {path} HTTP/1.1"]
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_read_from_the_variable_by_the_shell() -> None:
    line = curl_line("GET", "http://h/", BEARER, timeout=3)
    assert f'-H "Authorization: Bearer ${KEY_VARIABLE}"' in line


@pytest.mark.parametrize(
    ("method", "part"),
    [("GET", " -X "), ("HEAD", " -I "), ("OPTIONS", " -X OPTIONS "), ("PUT", " -X PUT ")],
)
def test_the_method_is_said_in_curls_own_way(method: str, part: str) -> None:
    assert (part in curl_line(method, "http://h/", timeout=3)) is (method != "GET")


def test_curl_goes_the_way_the_probe_went() -> None:
    assert "--noproxy '*'" in curl_line("GET", "http://h/", timeout=3)
    assert "--noproxy" not in curl_line("GET", "http://h/", timeout=3, direct=False)
    assert "-NoProxy" in powershell_line("GET", "http://h/", timeout=3)
    assert "-NoProxy" not in powershell_line("GET", "http://h/", timeout=3, direct=False)


def test_a_plain_request_in_powershell() -> None:
    assert powershell_line("OPTIONS", "http://127.0.0.1:8045/v1/models", BEARER, timeout=3) == (
        "Invoke-WebRequest -Method Options -Uri 'http://127.0.0.1:8045/v1/models' "
        "-Headers @{'Authorization' = ('Bearer ' + $env:AGDOCTOR_API_KEY)} "
        "-SkipHttpErrorCheck -SkipHeaderValidation -MaximumRedirection 0 -TimeoutSec 3 -NoProxy"
    )


def test_a_key_alone_in_a_header_is_just_the_variable() -> None:
    assert "@{'x-api-key' = $env:AGDOCTOR_API_KEY}" in powershell_line(
        "GET", "http://h/", {"x-api-key": KEY_MARK}, timeout=3
    )


@pytest.mark.parametrize("quote", ["'", "‘", "’", "‚", "‛"])
def test_every_kind_of_quote_is_closed_in_powershell(quote: str) -> None:
    assert f"'http://h/a{quote}{quote}; calc'" in powershell_line("GET", f"http://h/a{quote}; calc", timeout=3)


@pytest.mark.parametrize("path", ["/v1/%6dodels", "/../etc", "/v1/./models", "/a\\b"])
def test_what_dotnet_would_rewrite_goes_through_curl_exe(path: str) -> None:
    line = powershell_line("OPTIONS", "http://h" + path, BEARER, timeout=3)
    assert line.startswith("curl.exe ")
    assert "-H ('Authorization: Bearer ' + $env:AGDOCTOR_API_KEY)" in line
    assert line.endswith(f"'http://h{path}'")
