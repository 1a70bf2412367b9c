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
    local folder
    ruff check .
    ruff format --check .
    PYTHONPATH=app/src lint-imports --no-logo
    # Each folder of its own: their modules are no packages, so names such as conftest stand in several.
    for folder in app/src files/{kafka,report,supply_chain,vault} roles/*/{action_plugins,filter_plugins,library,module_utils} \
        tests/doubles/{central,zerotier/src} tests/{bench,infra,kafka,lab,overlay,pipeline,report,spark,teardown} tests/unit/*; do
        if compgen -G "$folder/*" > /dev/null; then
            mypy "$folder"
        fi
    done
}

beside playbooks programs
