"""Add the secrets that a vaulted variables file lacks: make_secrets.py FILE NAME...

Prints the names it added, one a line. Values go to ansible-vault by a pipe alone: never by an
argument, a fact or a file in plain text. Those that are there already stay as they are.
"""

import json
import secrets
import subprocess
import sys
from pathlib import Path


def vault(*arguments: str, text: str = "") -> str:
    """Run ansible-vault and return what it prints; end with its last line if it fails."""
    done = subprocess.run(
        ["ansible-vault", *arguments], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        sys.exit(f"ansible-vault {arguments[0]}: {reason}")
    return done.stdout


def main() -> None:
    """Read the file, add what is missing and put the new file in the old one's place."""
    file, names = Path(sys.argv[1]), sys.argv[2:]
    known: dict[str, str] = {}
    if file.exists():
        text = vault("view", str(file))
        try:
            # JSON is YAML too, and this file is written here alone.
            known = json.loads(text)
        except ValueError:
            sys.exit(f"{file}: found no JSON in the vault, expected it as make_secrets.py wrote it")
    missing = [name for name in names if name not in known]
    if not missing:
        return
    known |= {name: secrets.token_urlsafe(32) for name in missing}
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")  # hidden: Ansible does not read it as variables
    vault("encrypt", "--output", str(new), text=json.dumps(known, indent=2) + "\n")
    new.chmod(0o600)
    new.replace(file)
    sys.stdout.write("\n".join(missing) + "\n")


main()
