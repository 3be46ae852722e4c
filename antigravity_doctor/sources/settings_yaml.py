"""Values of YAML with their places.

Only the events of PyYAML's parser are used: nothing is constructed, no tag is obeyed, and neither nesting nor aliases
reach Python's recursion limit or take more than bounded work. Plain values are read as the core schema of YAML 1.2
says, as most clients do (`yes` is a text there). Only the first document counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from antigravity_doctor.sources.settings_text import (
    DEEPEST,
    At,
    CannotReplaceError,
    Found,
    Settings,
    behind,
)

MOST_STEPS = 400_000
"""Nodes visited, each alias anew; a settings file has a few hundred."""

_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*+\s++(?:#[^\r\n]*+\s++)*+)*+")
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}|0o[0-7]{1,4000}|0x[0-9a-fA-F]{1,4000}")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")


class _Scalar(NamedTuple):
    value: str | int | float | bool | None
    text: str
    start: int
    end: int
    why_fixed: str
    plain: bool


class _Items(NamedTuple):
    """A mapping, or a sequence, whose keys are None. The list grows while it is read."""

    items: list[tuple[_Node | None, _Node]]
    is_mapping: bool
    start: int


class _Alias(NamedTuple):
    to: _Node
    start: int
    end: int


_Node = _Scalar | _Items | _Alias


def read_yaml(text: str) -> Settings:
    """The values of a text's first document. Raises CannotReadError."""
    import yaml

    found = Found(text)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # twenty times as fast where it was built
    try:
        root = _tree(text, yaml.parse(text, Loader=loader), found)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        detail = error.problem or error.context or ""
        where = min(mark.index, len(text)) if mark else 0
        if "nesting depth" in detail:  # libyaml 0.2.6 (PyYAML 6.0.4) counts for itself, ahead of the events
            raise found.error("too-deep", where) from None
        reason = "yaml-tab" if text[where : where + 1] == "\t" and "start any token" in detail else "yaml-syntax"
        raise found.error(reason, where, detail) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:  # a character that YAML does not allow
        where = getattr(error, "position", getattr(error, "start", 0))
        raise found.error("yaml-character", min(where, len(text))) from None
    if root is None:
        found.note("empty", 0)
        return found.settings()
    walk = _Walk(found)
    walk.node(root, (), None, 0)
    settings = found.settings()
    # what a merge brings was added behind a mapping's own keys
    return Settings(tuple(sorted(settings.values, key=lambda each: each.start)), settings.notes)


def _tree(text: str, events: Iterable[Any], found: Found) -> _Node | None:
    """The first document, or None where there is none."""
    import yaml

    kinds: Any = yaml.events

    root: _Node | None = None
    anchors: dict[str, _Node] = {}
    documents = 0
    stack: list[_Items] = []
    keys: list[_Node | None] = []  # of each open container: the key that waits for its value
    for event in events:
        if isinstance(event, kinds.DocumentStartEvent):
            documents += 1
            if documents == 2:
                found.note("yaml-documents", event.start_mark.index)
        if documents != 1:
            continue
        node: _Node
        if isinstance(event, (kinds.MappingEndEvent, kinds.SequenceEndEvent)):
            stack.pop()
            keys.pop()
            continue
        if isinstance(event, kinds.ScalarEvent):
            node = _scalar(text, event)
        elif isinstance(event, kinds.AliasEvent):
            start = event.start_mark.index
            if event.anchor not in anchors:
                raise found.error("yaml-alias-unknown", start)
            node = _Alias(anchors[event.anchor], start, event.end_mark.index)
        elif isinstance(event, kinds.CollectionStartEvent):
            if len(stack) >= DEEPEST:
                raise found.error("too-deep", event.start_mark.index)
            node = _Items([], isinstance(event, kinds.MappingStartEvent), event.start_mark.index)
        else:
            continue
        anchor = None if isinstance(event, kinds.AliasEvent) else event.anchor
        if anchor is not None:
            anchors[anchor] = node
        if not stack:
            root = node
        elif not stack[-1].is_mapping:
            stack[-1].items.append((None, node))
        elif keys[-1] is None:
            keys[-1] = node
        else:
            stack[-1].items.append((keys[-1], node))
            keys[-1] = None
        if isinstance(node, _Items):
            stack.append(node)
            keys.append(None)
    return root


def _scalar(text: str, event: Any) -> _Scalar:
    start, end = event.start_mark.index, event.end_mark.index
    start = behind(_PROPERTIES, text, start, end)
    plain = not event.style and event.tag is None
    if event.style in ("|", ">"):  # the line ends behind it belong to the file
        end = start + len(text[start:end].rstrip())
    return _Scalar(
        _resolved(event.value) if plain else event.value,
        event.value,
        start,
        end,
        "yaml-tag" if event.tag not in _TEXT_TAGS or text[start:end].startswith(("&", "!")) else "",
        plain,
    )


def _resolved(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


class _Walk:
    """Gives every scalar its path. What stands behind an alias is said at the alias, and cannot be replaced there."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.steps = 0

    def node(self, node: _Node, at: At, alias: _Alias | None, depth: int) -> None:
        self._step(alias or node, depth)
        if isinstance(node, _Alias):
            self.node(node.to, at, alias or node, depth + 1)
        elif isinstance(node, _Scalar):
            if alias:
                self.found.add(at, node.value, alias.start, alias.end, "yaml-alias")
            else:
                self.found.add(at, node.value, node.start, node.end, node.why_fixed)
        elif node.is_mapping:
            self._mapping(node, at, alias, depth)
        else:
            for number, (_, each) in enumerate(node.items):
                self.node(each, (*at, number), alias, depth + 1)

    def _mapping(self, node: _Items, at: At, alias: _Alias | None, depth: int) -> None:
        seen: dict[str, tuple[int, int]] = {}
        merges = []
        for key_node, each in node.items:
            key = _behind(key_node)
            if not isinstance(key, _Scalar):
                continue  # a key that no path can hold
            if key.plain and key.text == "<<":
                merges.append(each)
                continue
            if key.text in seen:
                if alias is None:
                    self.found.note("duplicate-key", key.start)
                self.found.drop(*seen[key.text])
            first = len(self.found.values)
            self.node(each, (*at, key.text), alias, depth + 1)
            seen[key.text] = (first, len(self.found.values))
        taken = set(seen)
        for each in merges:
            self._merge(each, at, alias, depth + 1, taken)

    def _merge(self, node: _Node, at: At, alias: _Alias | None, depth: int, taken: set[str]) -> None:
        """What `<<: *other` brings: the keys that are not taken yet."""
        self._step(alias or node, depth)
        if isinstance(node, _Alias):
            self._merge(node.to, at, alias or node, depth + 1, taken)
        elif isinstance(node, _Items) and not node.is_mapping:
            for _, each in node.items:
                self._merge(each, at, alias, depth + 1, taken)
        elif isinstance(node, _Items):
            merges = []
            own = {}
            for key_node, each in node.items:
                key = _behind(key_node)
                if isinstance(key, _Scalar):
                    if key.plain and key.text == "<<":
                        merges.append(each)
                    else:
                        own[key.text] = each
            for name, each in own.items():
                if name not in taken:
                    taken.add(name)
                    self.node(each, (*at, name), alias, depth + 1)
            for each in merges:
                self._merge(each, at, alias, depth + 1, taken)

    def _step(self, node: _Node, depth: int) -> None:
        self.steps += 1
        if depth > 2 * DEEPEST:
            raise self.found.error("too-deep", node.start)
        if self.steps > MOST_STEPS:
            raise self.found.error("too-many-values", node.start)


def _behind(node: _Node | None) -> _Node | None:
    return node.to if isinstance(node, _Alias) else node


_NEVER_RAW = re.compile("[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_./:@%+~=?&-]*[A-Za-z0-9_/]")
_WORDS_OF_OTHERS = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null")


def write_yaml(old: str, new: str) -> str:
    """`new` as a YAML string: in the old value's style where that can hold it. A block scalar becomes one line."""
    style = old[:1]
    if style in ("|", ">") and style and "#" in old.partition("\n")[0]:
        raise CannotReplaceError("yaml-block-comment")
    if style == "'" and not _NEVER_RAW.search(new):
        return "'" + new.replace("'", "''") + "'"
    # In {…} and […] some parsers end a plain value at a colon, and whether it stands in one is not seen here.
    plain = style not in ("'", '"') and (":" not in new or ":" in old)
    if plain and style and _SAFE.fullmatch(new) and not _WORDS_OF_OTHERS.fullmatch(new):
        return new
    escaped = _NEVER_RAW.sub(lambda each: f"\\u{ord(each[0]):04x}", new.replace("\\", "\\\\").replace('"', '\\"'))
    return ("" if old else " ") + '"' + escaped + '"'
