"""Build the Debian package of the double: `build.py OUTPUT.deb`.

The same sources give the same bytes. A package that is there already and would not change is left
alone; the first word of the output says which it was: `built` or `unchanged`.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBRARY = "usr/lib/zerotier-one-double/zerotier_double"
# Any fixed time will do: it is what makes two builds equal.
EPOCH = "1727827200"

FILES = {
    "package/bin/zerotier-one": ("usr/sbin/zerotier-one", 0o755),
    "package/bin/zerotier-cli": ("usr/sbin/zerotier-cli", 0o755),
    "package/zerotier-one.service": ("lib/systemd/system/zerotier-one.service", 0o644),
    "package/README": ("usr/share/doc/zerotier-one/README", 0o644),
    "package/control": ("DEBIAN/control", 0o644),
    "package/postinst": ("DEBIAN/postinst", 0o755),
    "package/prerm": ("DEBIAN/prerm", 0o755),
    "package/postrm": ("DEBIAN/postrm", 0o755),
}


def stage(root: Path) -> None:
    """Lay out the package's tree below an empty directory."""
    modules = sorted((HERE / "src/zerotier_double").glob("*.py"))
    wanted = {HERE / source: target for source, target in FILES.items()}
    wanted |= {module: (f"{LIBRARY}/{module.name}", 0o644) for module in modules}
    for source, (name, mode) in wanted.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(mode)
    for path in [root, *root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (int(EPOCH), int(EPOCH)))


def build(output: Path) -> bool:
    """Build the package; tell whether the file changed. Raises CalledProcessError."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        root, fresh = Path(scratch) / "root", Path(scratch) / output.name
        root.mkdir()
        stage(root)
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


def main() -> int:
    """Build where the only argument says; exit status 2 for a wrong command line."""
    arguments = sys.argv[1:]
    if [Path(argument).suffix for argument in arguments] != [".deb"]:
        sys.stderr.write("usage: build.py OUTPUT.deb\n")
        return 2
    output = Path(arguments[0])
    word = "built" if build(output) else "unchanged"
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    sys.stdout.write(f"{word} {output} sha256:{digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
