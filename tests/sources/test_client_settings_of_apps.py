"""Where apps and editors that were read, not run, keep their base URLs: what is found there, and what wins."""

from __future__ import annotations

import json
from pathlib import Path

from antigravity_doctor.knowledge.clients import find_client
from antigravity_doctor.sources.client_settings import Machine, read_client_settings

P = "http://127.0.0.1:8045"


def found(
    home: Path, client: str, files: dict[str, str], **environment: str
) -> list[tuple[str, str | None, str | None]]:
    """(value, mode, the file in front of it) of every base URL of this client."""
    for name, content in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content, encoding="utf-8")
    (home / "work").mkdir(exist_ok=True)
    machine = Machine("linux", "linux", {"HOME": str(home), **environment}, str(home), str(home / "work"))
    return [
        (each.value, each.mode, each.hidden_by) for each in read_client_settings(machine, find_client(client)).found
    ]


def test_goose_keeps_hosts_in_its_configuration_and_providers_in_files_of_their_own(tmp_path: Path) -> None:
    files = {
        ".config/goose/config.yaml": f"GOOSE_PROVIDER: anthropic\nOPENAI_HOST: {P}/v1\nANTHROPIC_HOST: {P}\n",
        ".config/goose/custom_providers/mine.json": json.dumps({"engine": "openai", "base_url": f"{P}/v1"}),
    }
    assert sorted(found(tmp_path, "goose", files)) == [(P, "anthropic", None), (P + "/v1", "custom-openai", None)]


def test_each_model_of_vs_code_has_an_address_of_its_own(tmp_path: Path) -> None:
    models = [{"id": "a", "url": P}, {"id": "b", "url": P + "/v1/v1"}]
    entry = {"vendor": "customendpoint", "apiType": "messages", "models": models}
    files = {".config/Code/User/chatLanguageModels.json": json.dumps([entry])}
    assert sorted(found(tmp_path, "vscode-copilot-chat", files)) == [
        (P, "messages", None),
        (P + "/v1/v1", "messages", None),
    ]
    machine = Machine("linux", "linux", {"HOME": str(tmp_path)}, str(tmp_path), str(tmp_path / "work"))
    evidence = read_client_settings(machine, find_client("vscode-copilot-chat"))
    assert len({each.slot for each in evidence.found}) == 2  # neither wins over the other


def test_continue_reads_config_json_only_where_there_is_no_config_yaml(tmp_path: Path) -> None:
    older = {".continue/config.json": json.dumps({"models": [{"provider": "openai", "apiBase": P}]})}
    assert found(tmp_path, "continue", older) == [(P, "openai", None)]
    newer = {".continue/config.yaml": f"models:\n  - provider: openai\n    apiBase: {P}/v1\n"}
    assert found(tmp_path, "continue", newer) == [
        (P + "/v1", "openai", None),
        (P, "openai", "~/.continue/config.yaml"),
    ]


def test_cherry_studio_is_told_to_be_a_database_from_2_on(tmp_path: Path) -> None:
    place = tmp_path / ".config/CherryStudio/Data/cherrystudio.sqlite"
    place.parent.mkdir(parents=True)
    place.touch()
    machine = Machine("linux", "linux", {"HOME": str(tmp_path)}, str(tmp_path), str(tmp_path))
    assert [each.because for each in read_client_settings(machine, find_client("cherry-studio")).closed] == ["sqlite"]
