# Needs Python 3.11 or later and make. Everything else goes into .venv.

UV_VERSION := 0.13.8
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Many tests wait, so that two cores do well with four. Each has servers of its own.
TEST_PROCESSES := 4
# Without compiled modules to read, each of a hundred processes would compile them all.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3.14 python3 python,\
	$(shell command -v $(name) >/dev/null 2>&1 && $(name) -c \
	'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(name))))

.DEFAULT_GOAL := help
.PHONY: help demo up test check programs fuzz format clean

help: ## Show what can be made
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

demo: $(READY) ## Play a whole campaign against a sandbox of the providers
	$(BIN)/drumbeat demo

up: $(READY) ## Start everything on this machine and keep it running
	$(BIN)/drumbeat up

test: check programs ## Run the checks and every test
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist worksteal

programs: $(READY) ## Get the Temporal server (built with Go if it cannot be downloaded)
	@$(BIN)/python -m deploy.local.fetch

check: $(READY) ## Check form, style, types and the order of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

check-compose: $(READY) ## Have Docker Compose read docker-compose.yml (builds it with Go if need be)
	$(BIN)/pytest -m compose tests/deploy

fuzz: $(READY) ## Call a running gateway 2,000 times as its document allows, and as it does not
	FUZZ_EXAMPLES=2000 $(BIN)/pytest -s --timeout 3600 tests/api/contract/test_fuzzing.py

format: $(READY) ## Bring the code into form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove the environment and what tools keep; data in .drumbeat stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# uv of the right version is used if there is one; else it comes into the environment itself,
# where it stays because it is one of the development tools.
$(READY): pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { \
		echo "Drumbeat needs Python 3.11 or later, and none is on the PATH." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is too old: Drumbeat needs Python 3.11 or later." >&2; exit 1; }
	@if command -v uv >/dev/null 2>&1; then uv=uv; else \
		test -x $(BIN)/uv || { "$(PYTHON)" -m venv $(VENV) && $(BIN)/pip install --quiet uv==$(UV_VERSION); } || exit 1; \
		uv=$(BIN)/uv; fi; \
	test -x $(BIN)/python || "$$uv" venv --quiet --python "$(PYTHON)" $(VENV) || exit 1; \
	UV_PROJECT_ENVIRONMENT=$(VENV) "$$uv" sync --locked --python "$(BIN)/python"
	@touch $@
