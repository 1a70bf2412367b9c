"""Write files where another user could have laid a trap.

The service's home directory belongs to the service's own user, and the modules write there as root.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .api import ZerotierError

if TYPE_CHECKING:
    from pathlib import Path


def replace(
    file: Path, content: bytes, mode: int = 0o600, owner: os.stat_result | None = None
) -> None:
    """Replace a file whole, for its owner; a reader sees the old content or the new.

    No link is followed: neither at the file nor at its folder. `owner` is the status of something
    whose owner the file is to have; without it that is the one who writes. Raises ZerotierError.
    """
    if file.parent.is_symlink():
        message = f"{file.parent} is a symbolic link, expected a folder; see who made it, remove it"
        raise ZerotierError(message)
    fresh = file.with_name(file.name + ".tmp")
    fresh.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(fresh, flags, mode), "wb") as stream:
        stream.write(content)
        os.fchmod(stream.fileno(), mode)
        if owner is not None:
            os.fchown(stream.fileno(), owner.st_uid, owner.st_gid)
    fresh.replace(file)
