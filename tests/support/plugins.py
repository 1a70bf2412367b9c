"""Import a role's plugins and modules in tests, as Ansible finds them: by path."""

import importlib.util
import sys
from types import ModuleType

from tests.support.project import PROJECT


def load(path: str) -> ModuleType:
    """Return the module at `path`, which is relative to the project."""
    file = PROJECT / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # dataclasses look there for their annotations
    spec.loader.exec_module(module)
    return module
