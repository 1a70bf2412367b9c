"""Build the Debian package of the double.

`build.py OUTPUT.deb [--version X.Y.Z] [--without-controller] [--without-roots]`

The options make a variant: what it differs in is written to one file of the package, variant.json.
The same sources and options give the same bytes. A package that is there already and would not
change is left alone; the first word of the output says which it was: `built` or `unchanged`.
"""

from __future__ import annotations

import argparse
import filecmp
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "src/zerotier_double"
LIBRARY = "usr/lib/zerotier-one-double/zerotier_double"
# Any fixed time will do: it is what makes two builds equal.
EPOCH = "1727827200"

FILES = {
    "package/bin/zerotier-one": ("usr/sbin/zerotier-one", 0o755),
    "package/bin/zerotier-cli": ("usr/sbin/zerotier-cli", 0o755),
    "package/bin/zerotier-idtool": ("usr/sbin/zerotier-idtool", 0o755),
    "package/zerotier-one.service": ("lib/systemd/system/zerotier-one.service", 0o644),
    "package/README": ("usr/share/doc/zerotier-one/README", 0o644),
    "package/control": ("DEBIAN/control", 0o644),
    "package/postinst": ("DEBIAN/postinst", 0o755),
    "package/prerm": ("DEBIAN/prerm", 0o755),
    "package/postrm": ("DEBIAN/postrm", 0o755),
}


def variant(**changes: object) -> dict[str, object]:
    """Return the facts of a build: those of the sources, and what is given differently."""
    facts: dict[str, object] = json.loads((SOURCES / "variant.json").read_text("utf-8"))
    return facts | changes


def stage(root: Path, facts: dict[str, object]) -> None:
    """Lay out the package of a variant below an empty directory."""
    modules = sorted(SOURCES.glob("*.py"))
    wanted = {HERE / source: target for source, target in FILES.items()}
    wanted |= {module: (f"{LIBRARY}/{module.name}", 0o644) for module in modules}
    for source, (name, mode) in wanted.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(mode)
    made = root / LIBRARY / "variant.json"
    made.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    made.chmod(0o644)
    control = root / "DEBIAN/control"
    text = control.read_text("utf-8").replace("@VERSION@", str(facts["version"]))
    control.write_text(text, "utf-8")
    for path in [root, *root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (int(EPOCH), int(EPOCH)))


def build(output: Path, **changes: object) -> bool:
    """Build a variant's package; tell whether the file changed. Raises CalledProcessError."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        root, fresh = Path(scratch) / "root", Path(scratch) / output.name
        root.mkdir()
        stage(root, variant(**changes))
        # A fixed compressor and level: dpkg-deb's defaults differ between distributions.
        command = [
            "dpkg-deb",
            "--root-owner-group",
            "-Zgzip",
            "-z9",
            "--build",
            str(root),
            str(fresh),
        ]
        environment = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        if output.exists() and filecmp.cmp(fresh, output, shallow=False):
            return False
        fresh.replace(output)
    return True


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line says; SystemExit with status 2 for a wrong one."""
    parser = argparse.ArgumentParser(prog="build.py", description="build the double's package")
    parser.add_argument("output", type=_package, metavar="OUTPUT.deb")
    parser.add_argument(
        "--version", type=_version, metavar="X.Y.Z", help="the version that it claims"
    )
    parser.add_argument("--without-controller", action="store_true", help="as from 1.16 on")
    parser.add_argument("--without-roots", action="store_true", help="only moons make it ONLINE")
    options = parser.parse_args(arguments)
    changes: dict[str, object] = {"version": options.version} if options.version else {}
    changes |= {"controller": False} if options.without_controller else {}
    changes |= {"roots": False} if options.without_roots else {}
    word = "built" if build(options.output, **changes) else "unchanged"
    digest = hashlib.sha256(options.output.read_bytes()).hexdigest()
    sys.stdout.write(f"{word} {options.output} sha256:{digest}\n")
    return 0


def _package(text: str) -> Path:
    if Path(text).suffix != ".deb":
        message = f"{text} does not end in .deb"
        raise argparse.ArgumentTypeError(message)
    return Path(text)


def _version(text: str) -> str:
    if re.fullmatch(r"\d+\.\d+\.\d+", text) is None:
        message = f"{text} is no version, expected three numbers: 1.14.1"
        raise argparse.ArgumentTypeError(message)
    return text


if __name__ == "__main__":
    sys.exit(main())
