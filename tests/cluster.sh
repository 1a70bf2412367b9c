#!/usr/bin/env bash
# The overlay on bare nodes, alone and in every state. Then the lab from nothing: brought up, provisioned
# twice, checked node by node, run, broken in every way that the tests know. It is taken down again, also when
# something fails.
set -euo pipefail
cd "$(dirname "$0")/.."
trap 'ansible-playbook playbooks/lab_down.yml > /dev/null || echo "the lab could not be taken down" >&2' EXIT
ansible-playbook playbooks/lab_down.yml > /dev/null
selected=(-m "not long")
if [ -n "${LONG:-}" ]; then selected=(); fi
pytest --exitfirst --durations=15 "${selected[@]}" tests/overlay tests/lab tests/infra tests/pipeline tests/teardown
