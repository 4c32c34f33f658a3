"""A missing or wrong setting stops the start with one clear line, which never shows a secret."""

import base64

import pytest

from bot.settings import SettingsError, read

GOOD = {
    "DATABASE_URL": "postgresql://bot:secret-word@/leadgate",
    "SLACK_BOT_TOKEN": "xoxb-secret-word",
    "SLACK_APP_TOKEN": "xapp-secret-word",
    "INTAKE_CHANNEL": "C1",
    "REVIEW_CHANNEL": "C2",
    "OVERSIGHT_CHANNEL": "C3",
    "MATCHER_URL": "http://127.0.0.1:8500",
    "MATCHER_SECRET": "secret-word",
    "PHOTO_KEY": base64.b64encode(b"k" * 32).decode(),
}
WRONG = {
    "no database": ({"DATABASE_URL": None}, "LEADGATE_DATABASE_URL"),
    "no token for the socket": ({"SLACK_APP_TOKEN": None}, "LEADGATE_SLACK_APP_TOKEN"),
    "no signing secret": ({"TRANSPORT": "http"}, "LEADGATE_SLACK_SIGNING_SECRET"),
    "no such transport": ({"TRANSPORT": "pigeon"}, "LEADGATE_TRANSPORT"),
    "a channel's name": ({"INTAKE_CHANNEL": "#face-intake"}, "LEADGATE_INTAKE_CHANNEL"),
    "a short key": ({"PHOTO_KEY": base64.b64encode(b"secret-word").decode()}, "LEADGATE_PHOTO_KEY"),
    "no base64": ({"PHOTO_KEY": "secret-word!"}, "LEADGATE_PHOTO_KEY"),
    "a case system without an address": ({"CASE_URL": "secret-word"}, "LEADGATE_CASE_URL"),
    "a case system of another protocol": ({"CASE_URL": "ftp://secret-word/cases"}, "LEADGATE_CASE_URL"),
    "a case system with half an address": ({"CASE_URL": "http://[::1"}, "LEADGATE_CASE_URL"),
    "a case system with a blank in its name": ({"CASE_URL": "http://secret word/"}, "LEADGATE_CASE_URL"),
    "a secret with its line end": ({"CASE_SECRET": "secret-word\n"}, "LEADGATE_CASE_SECRET"),
    "a secret that no header takes": ({"CASE_SECRET": "secret-wörd"}, "LEADGATE_CASE_SECRET"),
    "no lease": ({"LEASE_SECONDS": "0"}, "LEADGATE_LEASE_SECONDS"),
}


def given(monkeypatch, changes):
    for name, value in (GOOD | changes).items():
        if value is None:
            monkeypatch.delenv(f"LEADGATE_{name}", raising=False)
        else:
            monkeypatch.setenv(f"LEADGATE_{name}", value)


def test_good_settings_are_read(monkeypatch):
    given(monkeypatch, {})
    settings = read()
    assert settings.key_encryption_key == b"k" * 32
    assert "secret-word" not in repr(settings)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(name, monkeypatch):
    changes, variable = WRONG[name]
    given(monkeypatch, changes)
    with pytest.raises(SettingsError) as told:
        read()
    assert variable in str(told.value)
    assert "secret-word" not in str(told.value)
    assert "\n" not in str(told.value)
