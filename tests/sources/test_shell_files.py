"""Start-up files of shells: which value of a variable counts, where it stands, and what only a run would tell."""

from __future__ import annotations

import time
from typing import Any

import pytest

from antigravity_doctor.sources.settings_text import CannotReadError
from antigravity_doctor.sources.shell_files import (
    LIMIT,
    Assignment,
    Dialect,
    read_assignments,
    read_started,
    start_up_files,
)

URL = "http://127.0.0.1:8045/v1"


def of(text: str, dialect: Dialect = "sh") -> Assignment | None:
    """What is known of A; B is asked for as well."""
    return next((each for each in read_assignments(text, dialect, {"A", "B"}) if each.name == "A"), None)


def value(text: str, dialect: Dialect = "sh") -> Any:
    found = of(text, dialect)
    return found and found.value


# --- sh --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f"export A={URL}",
        f'export A="{URL}"',
        f"export A='{URL}'",
        f"export A={URL} # comment",
        f"export B=1 A={URL} C=2",
        f"  export   A={URL}\r\n",
        f"A={URL}\nexport A",
        f"A={URL}; export A",
        f"export A; A={URL}; export A",
        f"declare -x A={URL}",
        f"typeset -gx A={URL}",
        f"export -- A={URL}",
        f"builtin export A={URL}",
        f"set -a\nA={URL}\nset +a",
        f"set -o allexport; A={URL}",
        f"export A=\\\n{URL}",
        "export A='http://'\"127.0.0.1:8045\"/v1",
        f"export A=$'{URL}'",
        f"export A=old\nexport A={URL}",
        f"echo 'it'\\''s'; export A={URL}",
        f"cat <<EOF\nexport A=no\nEOF\nexport A={URL}",
        f"cat <<-'EOF' > x\n\texport A=no\n\tEOF\nexport A={URL}",
        f'PS1="$(git branch "x" | sed \'s/)//\') "\nexport A={URL}',
        f"echo `date`; export A={URL}",
        f"echo $((1 + 2)) ${{B:-x}}; export A={URL}",
        f"(( n << 2 ))\nexport A={URL}",
        f"if (( (n + 1) << (2 * (3)) )); then :; fi\nexport A={URL}",
        f"for ((i = 1; i << 3; i++)); do :; done\nexport A={URL}",
        f"alias c='A=1 claude'\nexport A={URL}",
        f"echo 'never closed\nexport A={URL}",
        f"launchctl setenv A {URL}",
        f"while read l; do :; done < f\nexport A={URL}",
        f"case $- in\n *i*) ;;\n *) return;;\nesac\nexport A={URL}",
        f"f() {{\n  return 1\n}}\nexport A={URL}",
        f"if [ -f x ]; then . x; fi\nexport A={URL}",
    ],
)
def test_an_exported_value_is_found(line: str) -> None:
    found = of(line)
    assert found is not None
    assert (found.value, found.exported, found.certain) == (URL, True, True)


@pytest.mark.parametrize(
    "line",
    [
        f"# export A={URL}",
        f"  #export A={URL}",
        f"A={URL} claude",
        f"alias claude='A={URL} claude'",
        f"echo export A={URL}",
        f'echo "\nexport A={URL}\n"',
        f"export AA={URL}",
        f"export A={URL}\nunset A",
        f"export A={URL} | cat",
        f"cat <<EOF\nexport A={URL}\nEOF",
        f"for A in {URL}; do :; done",
        "export A",
        "unset A",
        "",
    ],
)
def test_what_sets_nothing_is_not_taken_for_a_setting(line: str) -> None:
    assert of(line) is None


@pytest.mark.parametrize(
    "written",
    [
        "$B/v1",
        "${B}",
        "${B:-http://h}",
        "$(cat url)",
        "`cat url`",
        '"$B"',
        '"http://$(hostname)/"',
        "(one two)",
        "$'a\\n'",
    ],
)
def test_a_value_that_only_running_would_tell_is_not_literal(written: str) -> None:
    found = of(f"export B=2\nexport A={written}\n")
    assert found is not None
    assert found.value is None
    assert found.written == written


def test_what_is_appended_is_not_literal() -> None:
    assert of("export A=1\nexport A+=2") is not None
    assert value("export A=1\nexport A+=2") is None


@pytest.mark.parametrize(
    "text",
    [
        f"if [ -f x ]; then\n  export A={URL}\nfi",
        f"[ -f x ] && export A={URL}",
        f"command -v x || export A={URL}",
        f"f() {{\n export A={URL}\n}}",
        f"for i in 1; do export A={URL}; done",
        f"case $x in\n a) export A={URL};;\nesac",
        f"(export A={URL})",
        f"export A={URL}\nif x; then unset A; fi",
    ],
)
def test_what_may_not_happen_counts_and_is_not_certain(text: str) -> None:
    found = of(text)
    assert found is not None
    assert (found.value, found.certain) == (URL, False)


def test_a_variable_that_is_not_exported_is_told_apart() -> None:
    found = of(f"A={URL}")
    assert found is not None
    assert not found.exported
    assert value("export -n A=1") == "1"
    unexported = of("export -n A=1")
    assert unexported is not None
    assert not unexported.exported


def test_a_place_is_that_of_the_value_with_its_quotes() -> None:
    text = f'# c\n\nexport B=1 A="{URL}" # c\n'
    found = of(text)
    assert found is not None
    assert (found.written, found.line, found.column) == (f'"{URL}"', 3, 14)
    assert text[found.start : found.end] == found.written


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('"a\\"b"', 'a"b'),
        ("a\\ b", "a b"),
        ('"a\\nb"', "a\\nb"),
        ("a#b", "a#b"),
        ("''", ""),
        ('"a\\\nb"', "ab"),
        ("~/x", "~/x"),
    ],
)
def test_quotes_and_escapes_of_sh(written: str, said: str) -> None:
    assert value(f"export A={written}") == said


def test_several_names_come_in_the_order_of_the_file() -> None:
    found = read_assignments("export B=1\nexport A=2\nexport B=3\nexport C=4", "sh", ["A", "B"])
    assert [(each.name, each.value) for each in found] == [("A", "2"), ("B", "3")]


# --- fish ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f"set -gx A {URL}",
        f"set -x -g A '{URL}' # c",
        f'set --export --global A "{URL}"',
        f"set -Ux A {URL}",
        f"set -gx -- A {URL}",
        f"export A={URL}",
        f"set -gx A 1; set -gx A {URL}",
        f"if true\n set -gx B 1\nend\nset -gx A {URL}",
        f"set -g A {URL}\nset -gx A {URL}",
        f"echo 'it\\'s'; set -gx A {URL}",
        f"echo `; set -gx A {URL}",
    ],
)
def test_an_exported_value_of_fish_is_found(line: str) -> None:
    found = of(line, "fish")
    assert found is not None
    assert (found.value, found.exported, found.certain) == (URL, True, True)


@pytest.mark.parametrize(
    "line",
    [
        f"# set -gx A {URL}",
        f"set -gx A {URL}\nset -e A",
        f"set -l A {URL}",
        "set -q A",
        f"A={URL} claude",
        f"echo set -gx A {URL}",
    ],
)
def test_what_sets_nothing_in_fish_is_not_taken_for_a_setting(line: str) -> None:
    assert of(line, "fish") is None


@pytest.mark.parametrize("written", ["$B", "(cat url)", '"$B/v1"', "http://(hostname)/", "$(cat url)"])
def test_a_value_that_only_fish_would_tell_is_not_literal(written: str) -> None:
    found = of(f"set -gx A {written}", "fish")
    assert found is not None
    assert (found.value, found.written) == (None, written)


@pytest.mark.parametrize(
    "text",
    [
        f"if true\n set -gx A {URL}\nend",
        f"set -q A; or set -gx A {URL}",
        f"true && set -gx A {URL}",
        f"function f\n set -gx A {URL}\nend",
    ],
)
def test_what_fish_may_not_do_is_not_certain(text: str) -> None:
    found = of(text, "fish")
    assert found is not None
    assert (found.value, found.certain) == (URL, False)


def test_a_list_of_fish_is_exported_with_blanks() -> None:
    assert value("set -gx A one two", "fish") == "one two"
    assert of("set -gxa A three", "fish") is not None
    assert value("set -gxa A three", "fish") is None


def test_universal_variables_of_fish() -> None:
    text = "# VERSION: 3.0\nSETUVAR --export A:http\\x3a//h\\x3a1/v1\nSETUVAR B:2\n"
    first, second = read_assignments(text, "fish-variables", {"A", "B"})
    assert (first.value, first.exported, first.line) == ("http://h:1/v1", True, 2)
    assert (second.value, second.exported) == ("2", False)


# --- PowerShell ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f'$env:A = "{URL}"',
        f"$Env:a='{URL}'",
        f"${{env:A}} = '{URL}'  # c",
        f"  $env:A = '{URL}'\r\n",
        f"$env:B = '1'; $env:A = '{URL}'; $x = 2",
        f"$env:A = 'old'\n$env:A = '{URL}'",
        f"[Environment]::SetEnvironmentVariable('A', '{URL}', 'User')",
        f'[System.Environment]::SetEnvironmentVariable("A", "{URL}")',
        f"Set-Item -Path Env:A -Value '{URL}'",
        f"Set-Item Env:\\A {URL}",
        f"<# $env:A = 'no' #>\n$env:A = '{URL}'",
        f"$x = @'\n$env:A = 'no'\n'@\n$env:A = '{URL}'",
        f"if ($x) {{ 1 }}\n$env:A = '{URL}'",
        f'Write-Host "it`"s"\n$env:A = \'{URL}\'',
    ],
)
def test_a_value_of_a_powershell_profile_is_found(line: str) -> None:
    found = of(line, "powershell")
    assert found is not None
    assert (found.value, found.exported, found.certain) == (URL, True, True)


@pytest.mark.parametrize(
    "line",
    [
        f"# $env:A = '{URL}'",
        f"<#\n$env:A = '{URL}'\n#>",
        f"$x = @\"\n$env:A = '{URL}'\n\"@",
        f"$A = '{URL}'",
        f"$env:AA = '{URL}'",
        f"$env:A = '{URL}'\n$env:A = $null",
        f"$env:A = '{URL}'\nRemove-Item Env:\\A",
    ],
)
def test_what_sets_nothing_in_powershell_is_not_taken_for_a_setting(line: str) -> None:
    assert of(line, "powershell") is None


@pytest.mark.parametrize("written", ['"http://$h/v1"', "$url", '"a" + "b"', "(Get-Content url)", '"$(hostname)"'])
def test_a_value_that_only_powershell_would_tell_is_not_literal(written: str) -> None:
    found = of(f"$env:A = {written}\n", "powershell")
    assert found is not None
    assert (found.value, found.written) == (None, written)


def test_what_powershell_may_not_do_is_not_certain() -> None:
    found = of(f"if ($x) {{\n  $env:A = '{URL}'\n}}", "powershell")
    assert found is not None
    assert (found.value, found.certain) == (URL, False)


@pytest.mark.parametrize(
    ("written", "said"), [("'it''s'", "it's"), ('"a`"b"', 'a"b'), ('"a""b"', 'a"b'), ('"`$x"', "$x")]
)
def test_quotes_and_escapes_of_powershell(written: str, said: str) -> None:
    assert value(f"$env:A = {written}", "powershell") == said


# --- /etc/environment ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"A={URL}\n", URL),
        (f'A="{URL}" # c\n', URL),
        (f"export A='{URL}'\r\n", URL),
        (f"A=old\nA={URL}", URL),
        ("A=$HOME/x", None),
    ],
)
def test_the_environment_of_a_login(text: str, said: str | None) -> None:
    found = of(text, "environment")
    assert found is not None
    assert (found.value, found.exported) == (said, True)


def test_a_comment_in_the_environment_of_a_login_sets_nothing() -> None:
    assert of(f"#A={URL}\nB=1", "environment") is None


# --- where they lie --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "environment", "path", "dialect"),
    [
        ("linux", {"HOME": "/home/me"}, "/home/me/.bashrc", "sh"),
        ("linux", {"HOME": "/home/me"}, "/home/me/.profile", "sh"),
        ("linux", {"HOME": "/home/me"}, "/etc/environment", "environment"),
        ("linux", {"HOME": "/home/me"}, "/home/me/.config/environment.d/*.conf", "environment"),
        ("linux", {"HOME": "/home/me", "XDG_CONFIG_HOME": "/c"}, "/c/fish/config.fish", "fish"),
        ("linux", {"HOME": "/home/me"}, "/home/me/.config/fish/fish_variables", "fish-variables"),
        ("darwin", {"HOME": "/Users/me"}, "/Users/me/.zshrc", "sh"),
        ("darwin", {"HOME": "/Users/me", "ZDOTDIR": "/z"}, "/z/.zshenv", "sh"),
        ("darwin", {"HOME": "/Users/me"}, "/Users/me/.config/powershell/profile.ps1", "powershell"),
        (
            "win32", {"USERPROFILE": "C:\\Users\\me"},
            "C:/Users/me/Documents/PowerShell/Microsoft.PowerShell_profile.ps1", "powershell",
        ),
        (
            "win32", {"USERPROFILE": "C:\\Users\\me", "OneDrive": "C:\\OD"},
            "C:/OD/Documents/WindowsPowerShell/profile.ps1", "powershell",
        ),
        ("win32", {"USERPROFILE": "C:\\Users\\me"}, "C:/Users/me/.bashrc", "sh"),
    ],
)  # fmt: skip
def test_start_up_files_of_every_system(platform: str, environment: dict[str, str], path: str, dialect: str) -> None:
    assert (path, dialect) in start_up_files(environment, platform)


def test_a_mac_has_no_file_of_pam_and_nobody_without_a_home_has_any() -> None:
    assert not [each for each in start_up_files({"HOME": "/Users/me"}, "darwin") if each.dialect == "environment"]
    assert start_up_files({}, "linux") == ()


def test_what_interactive_shells_read_last_comes_last() -> None:
    paths = [each.path for each in start_up_files({"HOME": "/h"}, "linux")]
    assert paths.index("/etc/profile") < paths.index("/h/.profile") < paths.index("/h/.bashrc")
    assert paths.index("/h/.zshenv") < paths.index("/h/.zshrc")


# --- limits ----------------------------------------------------------------------------------------------------------


def test_a_file_of_more_than_a_megabyte_is_refused() -> None:
    with pytest.raises(CannotReadError, match="too-large"):
        read_assignments(" " * (LIMIT + 1), "sh", {"A"})


@pytest.mark.parametrize("dialect", ["sh", "fish", "powershell", "environment", "fish-variables"])
@pytest.mark.parametrize(
    "piece",
    [
        "$(",
        "'",
        '"\\',
        "`",
        "<<",
        "<<X\n",
        "( ",
        "{ ",
        "a$(\n",
        "\\",
        "if ",
        "$",
        '"$(',
        "<#",
        "@'\n",
        '"`',
        '$env:A="',
    ],
)
def test_hostile_text_takes_no_more_time_than_its_length(piece: str, dialect: Dialect) -> None:
    """With the square of the length, 200 kB would take minutes."""
    begun = time.monotonic()
    read_assignments(piece * (200_000 // len(piece)), dialect, {"A"})
    assert time.monotonic() - begun < 10


# --- commands with variables of their own ----------------------------------------------------------------------------


def started(text: str, dialect: Dialect = "sh") -> list[tuple[str, str | None, dict[str, str | None]]]:
    return [
        (each.program, each.alias, {one.name: one.value for one in each.variables})
        for each in read_started(text, dialect)
    ]


@pytest.mark.parametrize(
    ("text", "dialect", "expected"),
    [
        (f"A={URL} claude -p hi", "sh", [("claude", None, {"A": URL})]),
        (f"A={URL} B='x y' /usr/bin/claude", "sh", [("claude", None, {"A": URL, "B": "x y"})]),
        (f"env -i A={URL} claude", "sh", [("claude", None, {"A": URL})]),
        (f"A={URL} exec npx --yes codex", "sh", [("codex", None, {"A": URL})]),
        (f'f() {{\n  A="{URL}" claude "$@"\n}}', "sh", [("claude", None, {"A": URL})]),
        (f"if x; then A={URL} claude; fi", "sh", [("claude", None, {"A": URL})]),
        (f"alias c='A={URL} claude'", "sh", [("claude", "c", {"A": URL})]),
        (f'alias -g c="A={URL} claude" d=ls', "sh", [("claude", "c", {"A": URL})]),
        (f"alias c 'A={URL} claude'", "fish", [("claude", "c", {"A": URL})]),
        (f"alias c='env A={URL} claude'", "fish", [("claude", "c", {"A": URL})]),
        (f"function c\n  A={URL} claude $argv\nend", "fish", [("claude", None, {"A": URL})]),
        ("A=$B claude", "sh", [("claude", None, {"A": None})]),
        (f"A={URL}", "sh", []),
        (f"export A={URL}; claude", "sh", []),
        (f"# A={URL} claude", "sh", []),
        (f"echo A={URL} claude", "sh", []),
        ("alias c=claude", "sh", []),
        ("alias -p; alias", "sh", []),
        (f"A={URL} claude", "environment", []),
    ],
)
def test_variables_of_one_command(
    text: str, dialect: Dialect, expected: list[tuple[str, str | None, dict[str, str | None]]]
) -> None:
    assert started(text, dialect) == expected


@pytest.mark.parametrize(
    "text", [f"x\n  A={URL} claude", f"x\n  alias c='A={URL} claude'", f'x\nalias c="B=2 A={URL} c"']
)
def test_a_variable_of_one_command_is_found_where_it_is_written(text: str) -> None:
    (one,) = read_started(text, "sh")
    assert [text[each.start : each.end] for each in one.variables if each.name == "A"] == [URL]
    assert one.variables[-1].line == 2


def test_a_text_that_is_too_large_is_not_searched_for_commands() -> None:
    with pytest.raises(CannotReadError):
        read_started("x" * (LIMIT + 1), "sh")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_start_up_file_is_of_one_shell_or_of_every_session(platform: str) -> None:
    environment = {"HOME": "/h", "USERPROFILE": "C:/Users/h"}
    shells = {each.path.rpartition("/")[2]: each.shell for each in start_up_files(environment, platform)}
    expected = {
        ".bashrc": "bash", ".bash_profile": "bash", ".bash_aliases": "bash", ".zshrc": "zsh", ".zlogin": "zsh",
        "zshenv": "zsh", ".profile": "", "profile": "", "environment": "", "config.fish": "fish",
        "fish_variables": "fish", "profile.ps1": "powershell", "Microsoft.PowerShell_profile.ps1": "powershell",
    }  # fmt: skip
    assert {name: shell for name, shell in shells.items() if name in expected} == {
        name: shell for name, shell in expected.items() if name in shells
    }
