"""Judges by shape alone: is this path one of an API, a file on a disk, a page of documentation?

No route table here: a path that no proxy ever served must be recognised as a request too. Patterns are kept as text
and compiled (and cached by `re`) when first used: this module is on the start-up path of `explain-path`.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RESOURCES = _words(
    """
    chat completion completions messages responses models embeddings moderations generations transcriptions
    translations count_tokens counttokens generatecontent streamgeneratecontent generatemessage embedcontent
    batchembedcontents batchgeneratecontent predict rawpredict streamrawpredict computetokens loadcodeassist
    onboarduser retrieveuserquota assistants threads realtime conversations batches event_logging
    """
)
"""Last or middle segments that name what an AI API serves. Lower case."""

_WORDS = RESOURCES | _words("api openai anthropic engines deployments mcp healthz paas warmup rerank")
_VERSION = r"v\d{1,2}(?:(?:alpha|beta)\d*)?|v1internal"

DISK_ROOTS = _words(
    """
    usr home etc var opt tmp root bin sbin lib lib64 mnt proc dev sys private boot nix snap srv run media cygdrive
    users applications library volumes system rustc workspace workspaces builds node_modules site-packages github
    """
)
FILE_ENDINGS = _words(
    """
    py pyc pyi js mjs cjs jsx ts tsx mts cts rs go java kt rb php c h cc cpp hpp cs swift vue svelte json jsonc
    jsonl toml yaml yml lock md mdx rst txt log db sqlite ini cfg conf env sh bash zsh ps1 bat exe dll so dylib whl
    gz zip tar tgz map node html htm css scss png jpg jpeg gif svg ico webp woff woff2 pem crt sock pid wasm
    """
)
_FILE = r"\.([A-Za-z0-9]{1,6})(?::\d+){0,2}$"
_PACKAGE_FOLDERS = ("/node_modules/", "/site-packages/", "/dist-packages/", "/src-tauri/", "/.cargo/", "/.venv/")

_PAGE_HOST = (
    r"(?:^|\.)(?:github\.com|githubusercontent\.com|github\.io|gitlab\.com|gitee\.com|bitbucket\.org|stackoverflow\.com"
    r"|stackexchange\.com|npmjs\.(?:com|org)|pypi\.org|crates\.io|docs\.rs|readthedocs\.(?:io|org)|mozilla\.org"
    r"|wikipedia\.org|medium\.com|dev\.to|reddit\.com|youtube\.com|zhihu\.com|csdn\.net|juejin\.cn|cnblogs\.com"
    r"|jianshu\.com|discord\.(?:gg|com)|t\.me|twitter\.com|x\.com|bilibili\.com|linux\.do|v2ex\.com|python\.org"
    r"|nodejs\.org|w3\.org|ietf\.org|ai\.google\.dev|httpstatuses\.com|errors\.pydantic\.dev|habr\.com|qiita\.com"
    r"|zenn\.dev|google\.com|bing\.com)$"
    r"|^(?:docs?|developers?|help|support|wiki|blog|community|forum|status|learn|guides?|platform)\."
)
_PAGE_PATH = r"^/(?:[a-z]{2}(?:-[a-z]{2})?/)?(?:docs?|documentation|wiki|blog|help|guide)(?:/|$)"
_NEAR_HOST = (
    r"^(?:localhost|127\.\d|10\.\d|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|0\.0\.0\.0|\[)"
    r"|\.(?:local|lan|internal|localhost|home|localdomain)(?::\d+)?$"
    r"|^[A-Za-z0-9_-]+$"
)


def _segments(path: str) -> list[str]:
    # A path of a megabyte says what it is in its ends.
    if len(path) > 4400:
        path = path[:4000] + "/" + path[-400:]
    return [part for part in path.lower().replace("%2f", "/").replace(":", "/").split("/") if part]


def is_version(part: str) -> bool:
    """Whether a segment (in lower case) is an API version: v1, v1beta, v1beta1, v1internal."""
    return part[:1] == "v" and part[1:2].isdigit() and re.fullmatch(_VERSION, part) is not None


def api_level(path: str) -> int:
    """2 for an endpoint (`/v1/chat/completions`), 1 for a mere hint of one (`/v1`, `/models`), 0 for anything else."""
    parts = _segments(path)
    versions = sum(1 for part in parts if is_version(part))
    words = sum(1 for part in parts if part in _WORDS)
    if (words and len(parts) > 1) or (versions and len(parts) > versions):
        return 2
    return 1 if words or versions else 0


def has_resource(path: str) -> bool:
    """Whether the path names something that an API serves, not only a prefix that a base URL may end in."""
    return any(part in RESOURCES for part in _segments(path))


def names_prefix_only(path: str) -> bool:
    """Whether the path is what a base URL ends in: nothing, versions, or vendor words."""
    return not any(
        part not in ("api", "openai", "anthropic", "paas") and not is_version(part) for part in _segments(path)
    )


def on_disk(path: str) -> bool:
    """Whether the path looks like a file or folder of an operating system or of a source tree."""
    if len(path) > 4400:
        return False
    end = re.search(_FILE, path)
    if end and end.group(1).lower() in FILE_ENDINGS:
        return True
    parts = path.split("/", 3)
    if len(parts) > 2 and parts[0] == "" and parts[2] and parts[1].lower() in DISK_ROOTS:
        return True
    return any(folder in path for folder in _PACKAGE_FOLDERS)


def is_near(host: str) -> bool:
    """Whether the host (with or without port) is this machine, a private network, a bare name, or has a port."""
    return re.search(_NEAR_HOST, host, re.IGNORECASE) is not None or re.search(r":\d{1,5}$", host) is not None


def is_page(host: str, path: str) -> bool:
    """Whether this is a page for people to read: documentation, code hosting, a forum."""
    if is_near(host):
        return False
    return bool(re.search(_PAGE_HOST, host, re.IGNORECASE) or re.match(_PAGE_PATH, path, re.IGNORECASE))


def plausible_host(host: str, path: str) -> bool:
    """Whether the `host` of a `host/path` without a scheme is one: it has a port, or a real ending and an API path."""
    name, _, port = host.rpartition(":")
    if name and port.isdigit() and not host.endswith("]"):
        return any(letter.isalpha() for letter in name) or name.count(".") == 3 or name.startswith("[")
    if host.lower() == "localhost" or host.startswith("["):
        return True
    ending = host.rpartition(".")[2].lower()
    numeric = host.count(".") == 3 and host.replace(".", "").isdigit()
    real = "." in host and ending.isalpha() and len(ending) > 1 and ending not in FILE_ENDINGS
    return (numeric or real) and api_level(path) == 2
