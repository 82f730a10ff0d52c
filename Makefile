# SPDX-License-Identifier: GPL-2.0-only
# Everything a developer or a CI job runs. `make help` lists the targets.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Where `make kernel` prepares the real tree; tests and benchmarks that need it look here.
KERNEL ?= $(or $(LOCKSPEC_KERNEL),.kernel/linux)
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)
PIP    := $(BIN)/python -m pip -qq --disable-pip-version-check

RUNTIME := $(VENV)/.runtime
DEV     := $(VENV)/.dev

.DEFAULT_GOAL := help
.PHONY: help lockcheck test check lint types imports tests kernel bench format man clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(RUNTIME): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "lockspec needs Python 3.11 or later; $(PYTHON) is `$(PYTHON) --version`" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "no virtual environment: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@echo "installing lockspec into $(VENV)"
	@$(PIP) install --editable .
	@touch $@

$(DEV): $(RUNTIME)
	@echo "installing the tools for developers into $(VENV)"
	@$(PIP) install --editable '.[dev]'
	@touch $@

lockcheck: $(RUNTIME) ## check the embedded fixture tree, or with KDIR=/path/to/linux a real one
ifdef KDIR
	@$(BIN)/lockspec check --tree "$(KDIR)" $(ARGS)
else
	@$(BIN)/python scripts/minikvm_commands.py
	@$(BIN)/lockspec check --tree fixtures/minikvm --rule 'kvm/gmem-*' $(ARGS); status=$$?; \
	if [ $$status -eq 1 ]; then \
		echo; echo "These violations were put into fixtures/minikvm on purpose. Your own tree: make lockcheck KDIR=/path/to/linux"; \
	elif [ $$status -eq 0 ]; then \
		echo "lockspec is broken: fixtures/minikvm has violations and none was found" >&2; exit 1; \
	else exit $$status; fi
endif

test: lint types imports tests ## everything CI runs: lint, types, import contracts, tests

check: test ## the same as test

lint: $(DEV)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . \
		|| { echo "not formatted: run make format" >&2; exit 1; }

types: $(DEV)
	@$(BIN)/mypy --no-error-summary

imports: $(DEV)
	@$(BIN)/lint-imports --no-logo 2>/dev/null >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }

tests: $(DEV)
	@$(BIN)/python scripts/minikvm_commands.py
	@LOCKSPEC_KERNEL="$(abspath $(KERNEL))" $(BIN)/pytest --quiet --numprocesses $(JOBS) --dist worksteal $(ARGS)

kernel: ## obtain and prepare the real tree under .kernel/ (150 MB to fetch, once)
	@scripts/kernel.sh "$(KERNEL)"

bench: $(RUNTIME) ## time lockspec against sparse on the real tree
	@$(BIN)/python bench/run.py --tree "$(or $(KDIR),$(KERNEL))" --jobs $(JOBS) $(ARGS)
	@$(BIN)/python bench/latency.py --tree "$(or $(KDIR),$(KERNEL))"

format: $(DEV) ## format and mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

man: $(RUNTIME) ## write the manual page anew from the commands
	@$(BIN)/lockspec man --output docs/man/lockspec.1

clean: ## remove what make made, but for the real tree
	@rm -rf $(VENV) build dist bench/out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -f fixtures/minikvm/compile_commands.json
	@find analyzer bench scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
