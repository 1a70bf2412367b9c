"""The gate of a run warns of a certificate that ends soon, and lets the run go on."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.pki_site import BROKER, Site
from tests.support.project import PROJECT


def certificate(days: int) -> bytes:
    """Return a certificate that ends after some days."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), 1)
    valid = builder.not_valid_before(now).not_valid_after(now + timedelta(days))
    made = valid.sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM)


def test_the_gate_warns_of_a_certificate_that_ends_soon(tmp_path: Path) -> None:
    """By its own task, with fewer days left than pki_warn_days; with more it is silent."""
    gate = yaml.safe_load((PROJECT / "playbooks/run_gate.yml").read_text(encoding="utf-8"))[1]
    [task] = [t for t in gate["tasks"] if t["ansible.builtin.import_role"]["name"] == "pki"]
    play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
    (tmp_path / "gate.yml").write_text(json.dumps([play]), encoding="utf-8")
    site = Site(tmp_path)
    file = site.file(BROKER, "pki/certificate.pem")
    file.parent.mkdir(parents=True)
    for days, is_told in ((29, True), (31, False)):
        file.write_bytes(certificate(days))
        result = site.run(playbook=os.path.relpath(tmp_path / "gate", PROJECT / "playbooks"))
        assert result.status == 0, result.tail()
        assert result.says(f"WARNING: {BROKER}: certificate of the broker ends at") == is_told
