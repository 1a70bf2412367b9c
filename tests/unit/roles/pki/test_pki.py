"""Certificates are made once, renewed in time, and never from a mistake; keys stay where they are.

The role runs as it does on nodes, but on this machine and into folders of the test's own.
"""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from tests.support.pki_site import BROKER, CLIENT, PASSPHRASE, Site
from tests.support.playbooks import Result
from tests.support.project import PROJECT

SECRET = "inventory/group_vars/all/secrets.yml"  # noqa: S105  a path


@dataclass(frozen=True)
class Made:
    """A site whose secrets and certificates were made, and what that said at its loudest."""

    folder: Path
    result: Result
    passphrase: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Return a site after its first run, which no variable told anything; its vault is open."""
    password = tmp_path_factory.mktemp("vault") / "password"
    password.write_text("of the vault\n")
    folder = tmp_path_factory.mktemp("pki")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(password))
        result = Site(folder).run("-vvv", "--diff")
        assert result.status == 0, result.tail()
        view = [str(Path(sys.executable).with_name("ansible-vault")), "view", str(folder / SECRET)]
        text = subprocess.run(view, check=True, capture_output=True, text=True, cwd=PROJECT).stdout
        yield Made(folder, result, json.loads(text)["pki_passphrase"])


@pytest.fixture
def passphrase(made: Made) -> str:
    """Return what opens the key of the site's authority."""
    return made.passphrase


@pytest.fixture
def site(made: Made, tmp_path: Path) -> Site:
    """Return a copy of that site, for one test alone."""
    shutil.copytree(made.folder, tmp_path / "site")
    return Site(tmp_path / "site")


def test_certificate_names_the_broker_and_is_signed_by_the_trusted_authority(site: Site) -> None:
    """Address and name stand in it, its subject is the host, and clients hold the authority's."""
    found = site.certificate()
    authority = x509.load_pem_x509_certificate(site.file(CLIENT, "kafka-ca.pem").read_bytes())
    found.verify_directly_issued_by(authority)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert names.get_values_for_type(x509.DNSName) == [BROKER]
    assert [a.value for a in found.subject] == [BROKER]
    assert found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert (found.not_valid_after_utc - datetime.now(UTC)).days == 89
    # A clock that is some days late accepts them too.
    for certificate in (found, authority):
        assert (datetime.now(UTC) - certificate.not_valid_before_utc).days == 7
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_keys_are_closed_and_only_where_they_were_made(site: Site, made: Made) -> None:
    """The broker's opens without a passphrase, the authority's only with the secret that was made.

    It is read in the run that made it. Neither keys nor passphrase are shown.
    """
    own = site.file(BROKER, "pki/key.pem")
    authority = site.pki / "ca.key.pem"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (own, authority)} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in (own, authority)} == {0o700}
    assert own.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    load_pem_private_key(authority.read_bytes(), made.passphrase.encode())
    with pytest.raises(TypeError):
        load_pem_private_key(authority.read_bytes(), None)
    keys = {name for name, content in site.everything().items() if b"PRIVATE KEY" in content}
    assert keys == {f"{BROKER}/etc/pki/key.pem", "inventory/pki/ca.key.pem"}
    secrets = [*own.read_text().splitlines()[1:-1], *authority.read_text().splitlines()[1:-1]]
    shown = [line for line in [*secrets, made.passphrase] if line and line in made.result.output]
    assert shown == []


def test_second_run_changes_nothing(site: Site) -> None:
    """No task reports a change, and no file is another; nothing ends soon.

    An inventory's pki folder is no source.
    """
    before = site.everything()
    result = site.run()
    assert result.status == 0, result.tail()
    assert result.changed() == {BROKER: 0, CLIENT: 0, "localhost": 0}
    assert site.everything() == before
    assert "Unable to parse" not in result.output
    assert "WARNING: kafka-1" not in result.output


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"pki_address": "127.0.0.9"}, id="another address"),
        pytest.param(
            {"pki_days": 400, "pki_renew_days": 399}, id="too few days left", marks=pytest.mark.long
        ),
    ],
)
def test_certificate_is_renewed_for_the_same_key(
    site: Site, passphrase: str, change: dict[str, Any]
) -> None:
    """Another address, or too few days left: a new certificate by the same authority."""
    before, old = site.everything(), site.certificate()
    result = site.run(pki_passphrase=passphrase, **change)
    assert result.status == 0, result.tail()
    assert site.certificate().serial_number != old.serial_number
    assert site.certificate().public_key() == old.public_key()
    after = site.everything()
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {f"{BROKER}/etc/pki/certificate.pem"}


def test_authority_is_renewed_with_its_key_before_a_certificate_could_outlive_it(
    site: Site, passphrase: str
) -> None:
    """What it signed stays as it is, and holds against its old certificate and the new one."""
    before = site.everything()
    result = site.run(pki_passphrase=passphrase, pki_days=3651, pki_ca_days=5000)
    assert result.status == 0, result.tail()
    after = site.everything()
    new = x509.load_pem_x509_certificate(after[f"{CLIENT}/etc/kafka-ca.pem"])
    old = x509.load_pem_x509_certificate(before["inventory/pki/ca.pem"])
    assert new.not_valid_after_utc > old.not_valid_after_utc
    assert after[f"{BROKER}/etc/pki/certificate.pem"] == before[f"{BROKER}/etc/pki/certificate.pem"]
    for authority in (old, new):
        site.certificate().verify_directly_issued_by(authority)


def test_another_authority_signs_anew_and_refuses_what_the_first_one_signed(
    site: Site, passphrase: str, tmp_path: Path
) -> None:
    """Every node learns of it; a certificate that it did not sign is none for its brokers."""
    own = own_certificate(site, tmp_path)
    shutil.rmtree(site.pki)
    result = site.run(pki_passphrase=passphrase)
    assert result.status == 0, result.tail()
    authority = x509.load_pem_x509_certificate(site.file(CLIENT, "kafka-ca.pem").read_bytes())
    site.certificate().verify_directly_issued_by(authority)

    refused = site.run(**own | {"pki_ca_certificate": str(site.pki / "ca.pem")})
    assert refused.status != 0
    assert refused.says("Check that the authority signed it")


def test_the_authority_is_changed_in_steps_that_keep_everyone_together(
    site: Site, passphrase: str
) -> None:
    """Both are trusted before one signs anew, and the old one is trusted by nobody at the end."""
    old, first = (site.pki / "ca.pem").read_bytes(), site.certificate()
    begun = site.run(pki_passphrase=passphrase, pki_authority_change="begin")
    assert begun.status == 0, begun.tail()
    new = (site.pki / "ca.pem").read_bytes()
    assert new != old
    assert site.file(CLIENT, "kafka-ca.pem").read_bytes() == new + old
    assert site.certificate() == first
    signed = site.run(pki_passphrase=passphrase, pki_renew=True)
    assert signed.status == 0, signed.tail()
    assert site.certificate().public_key() != first.public_key()
    site.certificate().verify_directly_issued_by(x509.load_pem_x509_certificate(new))
    assert site.file(CLIENT, "kafka-ca.pem").read_bytes() == new + old
    ended = site.run(pki_passphrase=passphrase, pki_authority_change="end")
    assert ended.status == 0, ended.tail()
    for host in (BROKER, CLIENT):
        assert site.file(host, "kafka-ca.pem").read_bytes() == new
    assert sorted(path.name for path in site.pki.iterdir()) == ["ca.key.pem", "ca.pem"]


def test_another_passphrase_is_refused_and_makes_no_other_authority(site: Site) -> None:
    """The message says what to bring back; nothing has changed."""
    before = site.everything()
    result = site.run(pki_passphrase="another")  # noqa: S106
    assert result.status != 0
    assert result.says("expected one that pki_passphrase opens: bring back the secrets")
    assert site.everything() == before


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="bare"),
        pytest.param({"pki_passphrase": PASSPHRASE}, id="secrets", marks=pytest.mark.long),
    ],
)
def test_check_mode_on_bare_nodes_goes_through_and_makes_nothing(
    tmp_path: Path, variables: dict[str, Any]
) -> None:
    """Neither secrets nor authority nor folder need be there."""
    site = Site(tmp_path)
    before = site.everything()
    result = site.run("--check", "--diff", **variables)
    assert result.status == 0, result.tail()
    assert site.everything() == before


def test_health_warns_of_what_ends_soon_and_fails_on_what_is_broken(site: Site) -> None:
    """With more days asked it names what ends; a foreign certificate fails."""
    soon = site.run("--skip-tags=kafka", playbook="health", pki_warn_days=91)
    assert soon.status == 0, soon.tail()
    assert soon.says("WARNING: kafka-1: certificate of the broker ends at")
    assert not soon.says("certificate of the authority ends at")
    wrong = site.run("--skip-tags=kafka", playbook="health", pki_address="127.0.0.9")
    assert wrong.status != 0
    assert wrong.says("found names IP:127.0.0.1, DNS:kafka-1, expected IP:127.0.0.9")


def own_certificate(site: Site, folder: Path) -> dict[str, str]:
    """Copy a site's authority, certificate and key, and return the variables that name them."""
    own = folder / "own"
    own.mkdir()
    for path in (
        site.pki / "ca.pem",
        site.file(BROKER, "pki/key.pem"),
        site.file(BROKER, "pki/certificate.pem"),
    ):
        shutil.copy(path, own)
    return {
        "pki_ca_certificate": str(own / "ca.pem"),
        "pki_certificate": str(own / "certificate.pem"),
        "pki_key": str(own / "key.pem"),
        "pki_subject": f"CN={BROKER}",
        "pki_passphrase": "",
    }


def test_own_certificate_is_taken_and_nothing_is_signed(site: Site, tmp_path: Path) -> None:
    """What the variables name is installed, no authority is made, and no key is shown."""
    variables = own_certificate(site, tmp_path)
    for folder in (site.pki, site.file(BROKER, "pki")):
        shutil.rmtree(folder)
    result = site.run("-vvv", "--diff", **variables)
    assert result.status == 0, result.tail()
    assert not site.pki.exists()
    key = tmp_path / "own" / "key.pem"
    assert site.file(BROKER, "pki/key.pem").read_bytes() == key.read_bytes()
    assert key.read_text().splitlines()[1] not in result.output


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        (
            {"pki_ca_key": "/nowhere", "pki_renew_days": 90},
            [
                "pki_ca_key: found it without pki_ca_certificate",
                "pki_renew_days: found 90 of the 90 days",
            ],
        ),
        (
            {"pki_ca_certificate": "/nowhere", "pki_ca_key": "/nowhere"},
            [
                "pki_subject: found nothing with pki_ca_certificate",
                "pki_ca_certificate: found no file /nowhere on the control machine",
                "pki_ca_key: found no file /nowhere on the control machine",
            ],
        ),
    ],
)
def test_wrong_setting_is_refused_before_anything_is_made(
    tmp_path: Path, variables: dict[str, Any], found: list[str]
) -> None:
    """A line for each names host, variable, what was found and what is expected."""
    site = Site(tmp_path)
    result = site.run(pki_passphrase=PASSPHRASE, **variables)
    assert result.status != 0
    for message in found:
        assert result.says(f"kafka-1: {message}"), result.tail()
    assert set(site.everything()) == {"inventory/hosts.yml"}
