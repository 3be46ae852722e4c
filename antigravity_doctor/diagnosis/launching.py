"""Which variables make a client use the recorder? (client + table + recorder -> environment)

For a command that is run under `trace`: the base URL variables that its client reads, with the base path that is right
for it; but what the user has set already for the proxy keeps its path, because that setting is what is being examined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from antigravity_doctor.diagnosis.recommending import KEY_PLACEHOLDER, Setting, recommend
from antigravity_doctor.diagnosis.urls import host_and_port, is_loopback_host, split_url
from antigravity_doctor.knowledge.clients import Client, all_clients
from antigravity_doctor.knowledge.routes import RouteTable

Why = Literal["right", "kept", "asked", "replaced", "key", "also"]
"""right: solved for the client · kept: the user's own path, at the recorder · asked: --base-path · replaced: the user's
own value leads elsewhere · key: no key was set · also: the mode needs it as well."""


class Variable(NamedTuple):
    """One variable for the command. `was` is what the user's environment had in its place, None for nothing."""

    name: str
    value: str
    why: Why
    was: str | None = None


class Launch(NamedTuple):
    """What to set. `files` are the settings files in which the client wants its base URL, where no variable will do."""

    variables: tuple[Variable, ...]
    files: tuple[Setting, ...]


def launch(
    client: Client | None,
    table: RouteTable,
    recorder: str,
    proxy: str,
    environment: Mapping[str, str],
    *,
    base_path: str | None = None,
    with_key: bool = True,
) -> Launch:
    """What makes this client use the recorder; with `client` None, what does so for as many clients as possible.

    `base_path` is the path that the user asked for ("" for the bare recorder), None for the right one. `with_key`:
    there is a key to give. A key variable
    is set to KEY_PLACEHOLDER, and only where none of the client's is set: the caller puts a real key in its place.
    """
    found: dict[str, Variable] = {}
    files: list[Setting] = []
    for each in (client,) if client is not None else all_clients():
        settings, keys = _settings(each, table, recorder)
        # A variable that carries a whole configuration is not set from here: it would replace the user's own.
        named = [one for one in settings if one.kind == "env" and one.value.startswith(recorder)]
        for one in named:
            found.setdefault(one.name, _variable(one, recorder, proxy, environment, base_path))
        if client is not None and not named:
            files += [one for one in settings if one.kind == "file"]
        # Without a base URL variable there is nothing to give a key for: it would only reach another server.
        if with_key and named and keys and not any(one.name in environment for one in keys):
            found.setdefault(keys[0].name, Variable(keys[0].name, KEY_PLACEHOLDER, "key"))
    return Launch(tuple(found.values()), tuple(dict.fromkeys(files)))


def _settings(client: Client, table: RouteTable, recorder: str) -> tuple[list[Setting], list[Setting]]:
    """The settings of the client's current modes that carry the base URL, and its key variables; usual mode first."""
    settings: list[Setting] = []
    keys: list[Setting] = []
    for found in recommend(client, table, recorder):
        if found.works and found.mode.versions[1] is None and client.kind != "app":
            settings += found.settings
            if any(one.kind == "env" for one in found.settings):
                keys += [one for one in found.key if one.kind == "env"]
    return settings, _distinct(keys)


def _distinct(settings: Iterable[Setting]) -> list[Setting]:
    return list({one.name: one for one in settings}.values())


def _variable(
    setting: Setting, recorder: str, proxy: str, environment: Mapping[str, str], base_path: str | None
) -> Variable:
    was = environment.get(setting.name) or None
    if base_path is not None:
        return Variable(setting.name, recorder + base_path, "asked", was)
    if was is None:
        return Variable(setting.name, setting.value, "right")
    if leads_to(was, proxy):
        return Variable(setting.name, recorder + was[len(split_url(was).origin) :], "kept", was)
    return Variable(setting.name, setting.value, "replaced", was)


def leads_to(url: str, proxy: str) -> bool:
    """True if this URL has the proxy's host and port, however loopback is spelled."""
    try:
        host, port = host_and_port(split_url(url).origin)
        proxy_host, proxy_port = host_and_port(proxy)
    except ValueError:
        return False
    if url.partition("://")[0].lower() != proxy.partition("://")[0].lower():
        return False  # https:// to a port that speaks plain http leads nowhere, and that is the fault
    same = host == proxy_host or (is_loopback_host(host) and is_loopback_host(proxy_host))
    return "://" in url and same and port == proxy_port
