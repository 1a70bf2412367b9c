#!/usr/bin/env bash
# The linters and type checks, without exceptions beyond those that pyproject.toml explains.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/beside.sh

playbooks() {
    yamllint --strict .
    ansible-lint --offline
}

programs() {
    ruff check .
    ruff format --check .
    PYTHONPATH=app/src lint-imports --no-logo
    mypy app/src
    mypy collections
    mypy tests tools
}

beside playbooks programs
