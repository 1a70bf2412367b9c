"""What the actions that watch systemd units have in common."""

import contextlib
import json
import os
import shlex
import time
import uuid
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.pipeline import systemd

# A host that is started again starts what is linked here: the run's units, until the run is over.
# Tests, whose host is this machine, have a folder of their own.
WANTS = os.environ.get("SERVER_MONITORING_WANTS") or "/etc/systemd/system/multi-user.target.wants"
PAUSE_SECONDS = 1.0
# The callbacks that print text for people.
TEXTS = ("default", "ansible.builtin.default", "minimal", "ansible.builtin.minimal")


def tell(line: str, **how: Any) -> None:
    """Show a line; what is no line of Ansible's own text, such as JSON, stays whole without it."""
    Display().display(line, stderr=constants.DEFAULT_STDOUT_CALLBACK not in TEXTS, **how)


# At most 16 MiB of a file.
_READ = "dd iflag=nofollow,nonblock,fullblock bs=64k count=256 status=none"


class UnitAction(ActionBase):
    """An action on the control machine that asks the host by its connection.

    Attributes:
        host: what it is called.
        patience: seconds that the host may be away.
        booted: whether it was started again since it was first asked.

    """

    _supports_check_mode = False
    host = "host"
    patience = 0.0
    booted = False
    _boot = ""

    def command(self, *argv: str) -> str:
        """Run a command on the host, as root, and return what it printed; see `shell`."""
        return self.shell(shlex.join(argv))

    def shell(self, script: str) -> str:
        """Run a script of sh on the host, as root, and return what it printed.

        Whatever a login shell prints before or after it is left out. A host that does not answer is
        waited for, and told of by `away`.

        Raises:
            AnsibleActionFail: it is away for longer than `patience`.

        """
        since = time.monotonic()
        with contextlib.suppress(AnsibleError, KeyError):
            # Once: the waiting is done here, where it is told.
            self._connection.set_option("reconnection_retries", 0)
        while isinstance(said := self._try(script), AnsibleConnectionFailure):
            gone = time.monotonic() - since
            if gone >= self.patience:
                message = (
                    f"{self.host}: no answer for {gone:.0f} s (pipeline_node_timeout is "
                    f"{self.patience:g}): {systemd.one_line(said)}"
                )
                raise AnsibleActionFail(message) from said
            self.away(self.patience - gone)
            with contextlib.suppress(AnsibleError, AttributeError):
                self._connection.reset()
            time.sleep(PAUSE_SECONDS)
        return said

    def away(self, left: float) -> None:
        """Tell that the host does not answer, and is waited for, at most `left` seconds more."""

    def _try(self, script: str) -> str | AnsibleConnectionFailure:
        """Return what a script printed, or that the host did not answer, or not wholly."""
        mark = uuid.uuid4().hex
        # The words are joined on the host, so that whoever repeats the script shows no mark.
        marked = f"m={mark}; export LC_ALL=C; echo begin-$m; {script}\necho end-$m"
        try:
            answer = self._low_level_execute_command(f"sh -c {shlex.quote(marked)}", sudoable=True)
        except AnsibleConnectionFailure as error:
            return error
        printed = str(answer["stdout"])
        _, begun, rest = printed.partition(f"begin-{mark}")
        said, ended, _ = rest.partition(f"end-{mark}")
        if begun and ended:
            return said.lstrip("\r\n")
        told = systemd.one_line(f"{printed} {answer['stderr']}") or "nothing"
        return AnsibleConnectionFailure(f"its answer was cut off: {told}")

    def show(self, units: list[str]) -> list[dict[str, str]]:
        """Return each unit's properties; notice whether the host was started again."""
        manager, asked = shlex.join(systemd.BOOT), shlex.join(systemd.show(*units))
        boot, _, shown = self.shell(f"echo boot $({manager}); {asked}").partition("\n")
        boot = boot.removeprefix("boot").strip()
        self.booted = self.booted or self._boot not in ("", boot)
        self._boot = self._boot or boot
        return systemd.parse_units(shown, len(units))

    def start(self, unit: str) -> None:
        """Start a unit, now and whenever the host is started again, until the run is over."""
        name, template = shlex.quote(unit), shlex.quote(systemd.template(unit))
        self.shell(
            f"mkdir -p {WANTS}; ln -sfn ../{template} {WANTS}/{name}; "
            f"systemctl start --no-block {name}"
        )

    def read(self, paths: list[str]) -> list[Any]:
        """Return the JSON document of each file on the host, by one command.

        Raises:
            AnsibleActionFail: a file is missing, or holds none.

        """
        if not paths:
            return []
        # The units could put something else there: no link is followed, and no pipe waited for.
        script = ["sh", "-c", f'for path; do {_READ} "if=$path"; done', "sh", *paths]
        rest, documents = self.command(*script), []
        try:
            while rest := rest.lstrip():
                document, end = json.JSONDecoder().raw_decode(rest)
                documents.append(document)
                rest = rest[end:]
        except json.JSONDecodeError:
            documents = []
        if len(documents) != len(paths):
            message = (
                f"found {systemd.one_line(rest) or 'nothing'}, expected JSON in "
                f"{' and '.join(paths)}{'; the host was started again' if self.booted else ''}"
            )
            raise AnsibleActionFail(message)
        return documents
