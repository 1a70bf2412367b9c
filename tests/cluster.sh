#!/usr/bin/env bash
# The lab from nothing: bare nodes, provisioned twice, checked node by node, run, broken and changed in every
# way that the short tests know, and taken down again.
# With `overlay` the long tests of the overlay, on bare nodes; with `brokers` those that need three brokers; with
# `pipeline` the other long ones.
# Whatever happens, the lab is taken down.
set -euo pipefail
cd "$(dirname "$0")/.."

down() {
    trap '' INT TERM HUP # a second signal must not leave half a lab
    ansible-playbook playbooks/lab_down.yml > /dev/null || echo "the lab could not be taken down" >&2
}

tests() {
    pytest --exitfirst --durations=15 "$@"
}

trap down EXIT
ansible-playbook playbooks/lab_down.yml > /dev/null
case "${1:-short}" in
    short)
        # Changes of the overlay and of addresses come last, as they disturb what runs on it.
        tests tests/lab tests/infra tests/pipeline/test_[1-3]*.py tests/overlay tests/pipeline/test_[4-9]*.py \
            tests/teardown
        ;;
    overlay)
        ansible-playbook playbooks/lab_up.yml --extra-vars '{"lab_zerotier_double": false}'
        tests -m long tests/lab tests/overlay
        ;;
    pipeline)
        ansible-playbook playbooks/lab_up.yml
        # It provisions them.
        tests -m long tests/pipeline/test_05*.py tests/infra tests/pipeline/test_[1-35-9]*.py
        ;;
    brokers)
        export ANSIBLE_INVENTORY=inventory/lab-ha
        ansible-playbook playbooks/lab_up.yml
        ansible-playbook provision.yml
        # A storm over three is another one than over one. New addresses stay, so they come last.
        tests -m long tests/pipeline/test_35*.py tests/pipeline/test_4[0-46-9]*.py tests/pipeline/test_45*.py
        ;;
    *)
        echo "cluster.sh: found $1, expected nothing, overlay, pipeline or brokers" >&2
        exit 2
        ;;
esac
