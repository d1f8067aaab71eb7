# Two commands are all a newcomer needs: `make demo` and `make test`.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= arr-data
WORKERS ?= 3
# What make test-long runs in full: crash campaigns, property tests, the index contract, exports. It prints figures and seeds;
# ARR_SEED=N repeats a campaign, ARR_KILLS=200 tells how often the writer is killed.
LONG ?= tests/crash tests/frame tests/record tests/conformance tests/contract tests/index tests/api/test_schemathesis.py tests/web/test_attacks.py tests/browser/test_hostile_text.py tests/query/exports/test_memory.py tests/query/evidence/test_bundle.py

# The wheel's modules, some of them compiled, and the tests of what those do.
COMPILED := .cache/compiled
COMPILED_RUN = PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/$(COMPILED) TESTED_COMPILED=1 $(BIN)/python
MEANT_COMPILED ?= tests/frame tests/record tests/conformance tests/projector
BENCH ?= validate

# Where an environment forbids it, each process would compile the product anew, and each worker rewrite all tests.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test test-compiled test-long check format lint types imports dependencies lock docs bench clean

demo: $(VENV)/.product
	@$(BIN)/arr demo --data $(DATA) $(DEMO)

test: $(VENV)/bin/python
	@sh tests/provision.sh & provided=$$!; $(MAKE) --no-print-directory check; checked=$$?; wait $$provided && exit $$checked
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope -m "not alone" --cov --cov-report= --cov-fail-under=0
	@$(BIN)/python -m pytest -m alone tests/end_to_end/test_in_time.py
	@$(BIN)/coverage report --fail-under=90
	@if [ -e $(COMPILED) ]; then $(MAKE) --no-print-directory test-compiled; fi

# What the compiled modules do, on them.
test-compiled: $(VENV)/.developer
	@sh tests/compiled.sh $(VENV) $(COMPILED)
	@$(COMPILED_RUN) -m pytest -o pythonpath="$(COMPILED) ." -n $(WORKERS) -m "not interpreted" $(MEANT_COMPILED)

test-long: $(VENV)/.developer
	@sh tests/provision.sh
	@figures=$$(mktemp) && ARR_LONG=1 ARR_FIGURES=$$figures \
		$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --timeout=14400 --durations=20 $(LONG); \
		status=$$?; echo "Figures and seeds:"; cat $$figures; rm -f $$figures; exit $$status
	@ARR_TEST_ELASTICSEARCH=8.19.4 $(BIN)/python -m pytest -m elastic --timeout=14400 tests/contract tests/index

check: lint types imports dependencies

format: $(VENV)/.developer
	@$(BIN)/ruff format audit tests hatch_build.py
	@$(BIN)/ruff check --fix audit tests hatch_build.py

lint: $(VENV)/.developer
	@$(BIN)/ruff format --check audit tests hatch_build.py
	@$(BIN)/ruff check audit tests hatch_build.py

types: $(VENV)/.developer
	@$(BIN)/mypy -n 2

imports: $(VENV)/.developer
	@$(BIN)/lint-imports

dependencies: $(VENV)/.developer
	@$(BIN)/deptry audit

# Measured as it is installed where it serves, with compiled modules: make bench BENCH="ingest --seconds 30".
bench: $(VENV)/.product
	@sh tests/compiled.sh $(VENV) $(COMPILED)
	@$(COMPILED_RUN) -m audit.cli bench $(BENCH)

docs: $(VENV)/.product
	@$(BIN)/python -m audit.cli.documents

lock: $(VENV)/.developer
	@sh tests/lock.sh

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* dist

# An environment with what the lock files name.
$(VENV)/bin/python:
	@sh tests/make_venv.sh $(PYTHON) $(VENV)

$(VENV)/.product: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "Installing the repository into $(VENV) …"
	@sh tests/install.sh $(VENV) requirements.lock compiled
	@touch $@

$(VENV)/.developer: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	@echo "Installing the repository and its tests' tools into $(VENV) …"
	@sh tests/install.sh $(VENV) requirements-dev.lock
	@touch $@ $(VENV)/.product
