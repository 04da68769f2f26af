"""Settings come from options, the environment and a file, in that order; invalid ones are rejected by name."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from modiste.cli import main
from modiste.errors import BadOption
from modiste.server.auth import new_key
from modiste.server.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_options_override_the_environment_which_overrides_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "modiste.toml").write_text(
        '[serve]\nport = 1\nqueue = 7\nthreads = 3\nallow_embed = ["https://a.example"]\n'
    )
    monkeypatch.setenv("MODISTE_PORT", "2")
    monkeypatch.setenv("MODISTE_THREADS", "4")
    monkeypatch.setenv("MODISTE_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    settings = load_settings(port=3, host=None)
    assert (settings.port, settings.threads, settings.queue, settings.host) == (3, 4, 7, "127.0.0.1")
    assert settings.allow_embed == ("https://a.example",)
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")


def test_settings_are_read_from_a_named_file(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[serve]\nport = 9\n")
    assert load_settings(tmp_path / "other.toml").port == 9
    assert load_settings().port == 8000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[serve]\nprot = 1\n", "prot"),
        ("[serve]\nport = 99999\n", "port"),
        ("[serve]\ndeadline = nan\n", "deadline"),
        ('[serve]\ntrusted_proxies = ["everyone"]\n', "trusted_proxies"),
        ('[serve]\nlog = "loud"\n', "log"),
        ("[server]\nport = 1\n", "server"),
        ("serve = 3\n", "serve"),
        ("[serve\n", "cannot be read"),
    ],
)
def test_invalid_settings_raise_bad_option(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "modiste.toml").write_text(text)
    with pytest.raises(BadOption, match=message):
        load_settings()


def test_missing_settings_file_raises_bad_option(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="cannot be read"):
        load_settings(tmp_path / "none.toml")


def test_plain_key_is_rejected_and_not_repeated_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    key, hashed = new_key()
    monkeypatch.setenv("MODISTE_ADMIN_KEY", key)
    with pytest.raises(BadOption, match="modiste key") as caught:
        load_settings()
    assert key not in str(caught.value)
    monkeypatch.setenv("MODISTE_ADMIN_KEY", hashed)
    assert load_settings().admin_key == hashed


def test_printed_config_can_be_loaded_and_hides_secrets(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["serve", "--shop", "none", "--port", "81", "--print-config"]) == 0
    text = capsys.readouterr().out
    (tmp_path / "modiste.toml").write_text(text)
    assert load_settings() == Settings(port=81)
    _, hashed = new_key()
    (tmp_path / "modiste.toml").write_text(f'[serve]\nadmin_key = "{hashed}"\n')
    assert main(["serve", "--shop", "none", "--print-config", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["admin_key"] == "(set)"
    assert set(shown) == set(tomllib.loads(text)["serve"])


def test_key_command_prints_a_key_and_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert load_settings(read_key=printed["hash"]).read_key == printed["hash"]
    assert main(["key"]) == 0
    assert "MODISTE_ADMIN_KEY" in capsys.readouterr().out
