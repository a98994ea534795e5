# `make help` lists what there is. Needs Python >= 3.11, git and make; everything else it gets.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/ready ## serve on 127.0.0.1:8000, pictures in ./asgilook-data
	$(BIN)/asgilook serve

test: .venv/ready ## run the whole suite, real servers included
	$(BIN)/pytest --numprocesses auto --dist loadfile

lint: .venv/ready ## check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

lint-infra: .venv-infra/ready ## validate infra/, and look for what is left open in it
	infra/lint .venv-infra/bin

# Nothing is heard of it while it downloads and builds.
container: .venv/ready ## build the container image, run it and stop it (root on Debian; podman, buildah)
	$(BIN)/pytest -o faulthandler_timeout=900 tests/container/checks.py

bench: .venv/bench/ready ## measure beside others; ONLY=name,... for parts, BENCH=--help for more
	$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY)) $(BENCH)

load: .venv/ready ## send 64 large pictures at once, with 1 GiB of memory, and show who waits
	$(BIN)/python -m tests.load

fidelity: .venv/ready ## show what becomes of each kind of picture, and keep it as a report
	$(BIN)/python -m tests.fidelity

SECONDS ?= 60

fuzz: .venv/fuzz ## fuzz what opens uploads, for SECONDS (60); fails with a finding
	$(BIN)/python -m tests.fuzz $(SECONDS)

.venv/fuzz: .venv/ready tests/fuzz/requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r tests/fuzz/requirements.lock
	touch $@

faults: .venv/ready ## let S3, Redis and processes fail, and keep what clients saw as a report; ONLY=text
	$(BIN)/python -m tests.faults $(if $(ONLY),--only "$(ONLY)")

overload: .venv/ready ## ask for five times what can be made, and show what hits notice of it
	$(BIN)/python -m tests.faults.overload

soak: .venv/ready ## live through MINUTES (10) of mixed traffic, and draw what the service holds
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

MINUTES ?= 10

durability: .venv/ready ## kill servers and race deletions, 20 and 1000 times
	$(BIN)/python -m tests.durability

lock: ## pin the newest releases that pyproject.toml allows (needs uv)
	uv pip compile pyproject.toml $(LOCK_OPTIONS) -o requirements.lock
	uv pip compile pyproject.toml --group dev $(LOCK_OPTIONS) -o requirements-dev.lock
	uv pip compile --group fuzz $(LOCK_OPTIONS) -o tests/fuzz/requirements.lock
	uv pip compile pyproject.toml --group bench $(LOCK_OPTIONS) -o tests/benchmarks/requirements.lock
	uv pip compile infra/requirements.txt $(LOCK_OPTIONS) -o infra/requirements.lock

LOCK_OPTIONS := --upgrade --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header

.venv/ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

.venv/bench/ready: .venv/ready tests/benchmarks/requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r tests/benchmarks/requirements.lock
	mkdir -p $(@D) && touch $@

.venv-infra/ready: infra/requirements.lock
	$(PYTHON) -m venv .venv-infra
	.venv-infra/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

clean: ## remove what the targets made, the pictures excepted
	rm -rf .venv .venv-infra .mypy_cache .pytest_cache .ruff_cache .hypothesis dist fuzz-findings

.PHONY: help run test lint lint-infra container bench load fidelity fuzz durability faults overload soak lock clean
