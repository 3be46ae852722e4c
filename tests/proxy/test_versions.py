"""The proxy's versions: what is a version, which is newer, which tag an unknown one behaves like."""

from __future__ import annotations

import pytest

from antigravity_doctor.knowledge.versions import (
    NEWEST,
    is_known,
    known_versions,
    nearest_known,
    parse_version,
    released,
    reported_by,
    resolve,
    tags_reporting,
)


def test_all_159_tags_are_known() -> None:
    assert len(known_versions()) == 159
    assert known_versions()[0].tag == "v3.0.0"
    assert NEWEST.tag == "v4.5.8" == known_versions()[-1].tag


def test_the_order_of_versions_is_the_order_of_the_tags() -> None:
    assert tuple(sorted(known_versions())) == known_versions()


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("3.2.0-beta.1", "3.2.0-beta.2"),
        ("3.2.0-beta.2", "3.2.0"),
        ("3.2.6-test.4", "3.2.6"),
        ("3.2.8", "3.2.9-test"),
        ("3.2.9-test", "3.3.0"),
        ("3.2.9-test", "3.2.9-test.1"),
        ("3.2.9-2", "3.2.9-10"),
        ("3.2.9-10", "3.2.9-alpha"),
        ("3.3.9", "3.3.10"),
        ("4.5.8", "10.0.0"),
    ],
)
def test_versions_are_ordered_as_semantic_versions(older: str, newer: str) -> None:
    assert parse_version(older) < parse_version(newer)


@pytest.mark.parametrize("text", ["4.5.8", "v4.5.8", "V4.5.8", " 4.5.8\n", "4.5.8+build.7"])
def test_a_version_may_be_written_with_or_without_v(text: str) -> None:
    assert parse_version(text) == NEWEST
    assert str(parse_version(text)) == "4.5.8"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v",
        "4",
        "4.5",
        "4.5.8.1",
        "latest",
        "4.5.x",
        "4.5.8-",
        "-1.0.0",
        "٤.٥.٨",
        "4" * 5000,
        "4.5.8\x1b[31m",
        "a b",
    ],
)
def test_what_is_no_version_is_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a proxy version: give three numbers .* such as 4\.5\.8\.$") as caught:
        parse_version(text)
    assert len(str(caught.value)) < 150
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("text", ["2.9.9", "v1.0.0", "3.0.0-beta.1"])
def test_versions_before_the_proxy_are_refused_with_the_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"has no proxy: the proxy came with version 3\.0\.0\.$"):
        parse_version(text)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("4.5.8", "v4.5.8"),
        ("4.5.9", "v4.5.8"),
        ("5.0.0", "v4.5.8"),
        ("3.0.1", "v3.0.0"),
        ("4.1.30", "v4.1.29"),
        ("3.2.9", "v3.2.9-test"),
        ("3.2.6-test.3", "v3.2.6-test.2"),
        ("3.3.99", "v3.3.50"),
    ],
)
def test_an_unknown_version_behaves_like_the_newest_older_tag(text: str, tag: str) -> None:
    assert nearest_known(parse_version(text)).tag == tag


def test_no_version_means_the_newest() -> None:
    assert resolve(None) is NEWEST
    assert resolve("v3.0.0") == resolve(known_versions()[0])


def test_tag_4_1_18_calls_itself_4_1_17() -> None:
    assert reported_by(parse_version("v4.1.18")) == "4.1.17"
    assert [version.tag for version in tags_reporting("4.1.17")] == ["v4.1.17", "v4.1.18"]
    assert tags_reporting("4.1.18") == ()
    assert reported_by(NEWEST) == "4.5.8"


def test_a_known_version_has_a_release_day() -> None:
    assert released(parse_version("3.0.0")) == "2025-12-16"
    assert is_known(NEWEST)
    assert not is_known(parse_version("5.0.0"))
    assert released(parse_version("5.0.0")) is None
