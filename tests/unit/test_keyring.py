"""What is sealed opens in its own cell and nowhere else."""

from typing import Any
from uuid import UUID

import pytest

from shared.errors import Misconfigured
from shared.keyring import Keyring
from shared.suppression import lead_keys

SECRET = "s" * 32
OLD, NEW = "k1:" + "A" * 43 + "=", "k2:" + "B" * 43 + "="
HERE: dict[str, Any] = {
    "place": "account_tokens.refresh_token",
    "company_id": UUID(int=1),
    "row_id": UUID(int=2),
}


def test_a_sealed_cell_opens() -> None:
    keyring = Keyring(secret_key=SECRET, encryption_keys=OLD)

    assert keyring.open(keyring.seal("1//refresh", **HERE), **HERE) == "1//refresh"


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    old = Keyring(secret_key=SECRET, encryption_keys=OLD).seal("1//refresh", **HERE)
    rotated = Keyring(secret_key=SECRET, encryption_keys=f"{NEW},{OLD}")

    assert rotated.open(old, **HERE) == "1//refresh"
    assert rotated.seal("1//refresh", **HERE).startswith(b"k2\0")


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param({**HERE, "row_id": UUID(int=3)}, id="another row"),
        pytest.param({**HERE, "company_id": UUID(int=3)}, id="another company"),
        pytest.param({**HERE, "place": "account_tokens.access_token"}, id="another column"),
    ],
)
def test_a_cell_copied_elsewhere_does_not_open(elsewhere: dict[str, Any]) -> None:
    keyring = Keyring(secret_key=SECRET, encryption_keys=OLD)

    with pytest.raises(Misconfigured, match="does not open"):
        keyring.open(keyring.seal("1//refresh", **HERE), **elsewhere)


def test_a_key_that_is_gone_is_named() -> None:
    sealed = Keyring(secret_key=SECRET, encryption_keys=OLD).seal("1//refresh", **HERE)

    with pytest.raises(Misconfigured, match="no key 'k1'"):
        Keyring(secret_key=SECRET, encryption_keys=NEW).open(sealed, **HERE)


@pytest.mark.parametrize(
    ("secret_key", "encryption_keys", "names"),
    [
        pytest.param("short", OLD, "DRUMBEAT_SECRET_KEY", id="a short secret"),
        pytest.param(SECRET, "", "DRUMBEAT_ENCRYPTION_KEYS", id="no key"),
        pytest.param(SECRET, "k1:abc", "DRUMBEAT_ENCRYPTION_KEYS", id="not base64"),
        pytest.param(SECRET, "k1:YWJj", "DRUMBEAT_ENCRYPTION_KEYS", id="too short a key"),
    ],
)
def test_a_wrong_setting_is_named(secret_key: str, encryption_keys: str, names: str) -> None:
    with pytest.raises(Misconfigured, match=names):
        Keyring(secret_key=secret_key, encryption_keys=encryption_keys)


def test_marks_differ_by_step_and_round_and_stay_the_same(keyring: Keyring) -> None:
    marks = {
        keyring.mail_key(UUID(int=1), UUID(int=step), round_)
        for step in (1, 2)
        for round_ in (1, 2)
    }

    assert len(marks) == 4
    assert keyring.mail_key(UUID(int=1), UUID(int=1), 1) in marks


def test_a_lead_is_found_by_address_domain_phone_and_profile(keyring: Keyring) -> None:
    keys = lead_keys(
        keyring, email="ada@example.test", phone="+4930123", linkedin_url="linkedin.com/in/ada"
    )

    assert keys == [
        keyring.suppression_key("email", "ada@example.test"),
        keyring.suppression_key("domain", "example.test"),
        keyring.suppression_key("phone", "+4930123"),
        keyring.suppression_key("linkedin", "linkedin.com/in/ada"),
    ]
