# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo demo-live control lab lab-down provision run test test-long-unit test-long-overlay test-long-pipeline test-long-brokers lint unit cluster-test packages lab-packages chaos chaos-live bench pictures browser-packages secrets-rotate sbom audit clean

VENV := .venv
# The wheel of pyspark, where the role spark looks for it too: it is built once, from a source archive with a known hash.
PYSPARK := files/spark/build-requirements.txt
PYSPARK_WHEEL = .cache/wheels/pyspark-$(shell printf %s "$$(cat $(PYSPARK))" | sha256sum | head --bytes=12)
# Of tools that must not share the project's own requirements.
TOOLS := .cache/supply-chain
# What is installed there comes first in PATH, so that `ansible-playbook` is the pinned one.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# The lab's inventory: lab, lab-ha with three brokers, or lab-live with nodes that are watched.
INVENTORY ?= lab
$(if $(filter lab lab-ha lab-live,$(INVENTORY)),,$(error INVENTORY is $(INVENTORY), expected lab, lab-ha or lab-live))
demo demo-live lab lab-down provision run chaos: export ANSIBLE_INVENTORY = inventory/$(INVENTORY)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | column --table --separator '|'

demo: lab ## Four local nodes, provisioned, and the pipeline run on real data; the lab stays up (INVENTORY=lab-ha: three brokers)
	ansible-playbook provision.yml
	ansible-playbook run_pipeline.yml
	@echo
	@echo "The alert tables are in results/latest/:"
	@head --lines=4 results/latest/*.csv
	@echo
	@echo "The lab stays up: '. .venv/bin/activate', then 'ansible all -m ping' or 'ansible-playbook run_pipeline.yml'."
	@echo "'make lab-down' removes it."

demo-live: INVENTORY = lab-live
demo-live: lab ## The lab's nodes watched as they run: an incident fires in the terminal, is over, and Spark closes the day
	ansible-playbook provision.yml
	python3 tools/live/demo.py
	@echo "The lab stays up: 'make lab-down' removes it."

control: $(VENV)/control ## Ansible and what it needs in .venv, for machines of your own

lab: lab-packages $(VENV)/control ## Bring up the lab's four nodes
	ansible-playbook playbooks/lab_up.yml

lab-down: $(VENV)/control ## Remove the lab: nodes, network, rules and keys
	ansible-playbook playbooks/lab_down.yml

provision: lab ## Provision the lab
	ansible-playbook provision.yml

run: ## Run the pipeline on the provisioned lab
	ansible-playbook run_pipeline.yml

pictures: browser-packages $(VENV)/tests ## Pictures of the newest run for the README, into docs/
	python3 tools/report/make_pictures.py results/latest docs

test: lab-packages browser-packages $(VENV)/tests $(TOOLS)/installed ## Everything CI runs: linters, unit tests, a lab from nothing to results and back (LONG=1: slow tests too)
	tests/all.sh
	$(if $(LONG),$(MAKE) test-long-unit test-long-overlay test-long-pipeline test-long-brokers)

test-long-unit: lab-packages browser-packages $(VENV)/tests $(TOOLS)/installed ## The slow ones of the unit tests
	tests/unit.sh long

test-long-overlay: lab-packages $(VENV)/tests ## The slow tests of the overlay, on a lab of bare nodes
	tests/cluster.sh overlay

test-long-pipeline: lab-packages $(VENV)/tests ## The other slow tests on a lab: each outage, storm, rotation and fault on its own
	tests/cluster.sh pipeline

test-long-brokers: lab-packages $(VENV)/tests ## The slow tests that need three brokers: storm, losses, rolling restarts
	tests/cluster.sh brokers

lint: packages $(VENV)/tests ## Linters and type checks
	tests/lint.sh

unit: lab-packages browser-packages $(VENV)/tests $(TOOLS)/installed ## Tests that need no cluster (they sign a package repository)
	tests/unit.sh

cluster-test: lab-packages $(VENV)/tests ## The lab from nothing, provisioned twice, checked, run, and taken down
	tests/cluster.sh

chaos: provision $(VENV)/tests ## Break a running pipeline again and again on the lab, FAULTS=200 times, SEED=47 to repeat it (INVENTORY=lab-ha: three brokers)
	pytest --capture=no -m long tests/pipeline/test_35_chaos.py --faults=$(or $(FAULTS),200) --seed=$(or $(SEED),47) $(if $(WITHOUT),--without='$(WITHOUT)')

chaos-live: packages $(VENV)/tests ## Kill agents, live consumers, detectors and brokers on loopback, FAULTS=100 times, SEED=47 to repeat it
	KAFKA_HOME=$$(python3 -m tests.kafka.kafka_home) PYTHONPATH=app/src pytest --capture=no --show-capture=no \
	  -m long tests/live/test_live_chaos.py --faults=$(or $(FAULTS),100) --seed=$(or $(SEED),47)

bench: packages browser-packages $(VENV)/tests ## Measure everything side by side; writes docs/benchmarks.md (an hour; BENCH="--quick" for less)
	KAFKA_HOME=$$(python3 -m tests.kafka.kafka_home) PYTHONPATH=app/src python -m tests.bench $(BENCH)

secrets-rotate: ## New passwords and certificates for Kafka, also while a run goes on
	ansible-playbook playbooks/secrets_rotate.yml

sbom: packages $(TOOLS)/installed ## Bills of materials (CycloneDX) of all that is installed from elsewhere, into sbom/
	python3 tools/supply_chain/supply_chain.py sbom sbom

audit: packages $(TOOLS)/installed ## Known vulnerabilities of the Python requirements (AUDIT_STRICT=1: no answer is an error)
	python3 tools/supply_chain/supply_chain.py audit

packages: PACKAGES = files/control/debian-packages.txt
lab-packages: PACKAGES = files/control/debian-packages.txt files/control/lab-packages.txt
browser-packages: PACKAGES = files/control/browser-packages.txt
packages lab-packages browser-packages:
	@missing=$$(grep --no-filename --invert-match '^#' $(PACKAGES) \
	  | while read -r name; do dpkg-query --show --showformat='$${db:Status-Status}' "$$name" 2>/dev/null | grep --quiet '^installed$$' || echo "$$name"; done); \
	if [ -n "$$missing" ]; then \
	  echo "Installing Debian packages:" $$missing; \
	  $(SUDO) apt-get update --quiet=2; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends $$missing > /dev/null; \
	fi

$(VENV)/bin/pip: | packages
	python3 -m venv $(VENV)

$(VENV)/control: requirements.txt app/pyproject.toml files/report/pom.xml files/report/sha256sums | $(VENV)/bin/pip
	@echo "Installing into $(VENV): requirements.txt (Ansible and what checks the nodes), the app, its plotting library"
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: --requirement requirements.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable app
	mvn --batch-mode --quiet --strict-checksums --file files/report/pom.xml org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
	  -DoutputDirectory="$(CURDIR)/$(VENV)/share/server-monitoring"
	cd $(VENV)/share/server-monitoring && sha256sum --check --quiet "$(CURDIR)/files/report/sha256sums"
	touch $@

# pyspark alone has no wheel; what builds it is pinned in requirements.txt, not fetched for the occasion.
$(VENV)/tests: tests/requirements.txt $(PYSPARK) $(VENV)/control
	@echo "Installing into $(VENV): tests/requirements.txt (the app's clients, Spark, linters; about 500 MB)"
	ls $(PYSPARK_WHEEL)/*.whl > /dev/null 2>&1 || $(VENV)/bin/pip wheel --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --require-hashes --wheel-dir=$(PYSPARK_WHEEL) --requirement $(PYSPARK)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-index $(PYSPARK_WHEEL)/*.whl
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: --requirement tests/requirements.txt
	touch $@

$(TOOLS)/installed: files/supply_chain/requirements.txt | packages
	@echo "Installing into $(TOOLS): files/supply_chain/requirements.txt (cyclonedx-bom, pip-audit)"
	python3 -m venv --clear $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: --requirement files/supply_chain/requirements.txt
	touch $@

clean: ## Remove everything that was made here: lab, images, caches, environments (results stay)
	if [ -x $(VENV)/bin/ansible-playbook ]; then ansible-playbook playbooks/lab_down.yml --extra-vars lab_remove_images=true; fi
	rm --recursive --force .cache $(VENV)
