PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := sqlite:///demo/forum.db

# The tests start hundreds of processes, each of which would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo test test-faults check picture benchmark format requirements clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: $(VENV)/run ## serve on http://127.0.0.1:8000
	@$(BIN)/forum serve

demo: $(VENV)/run ## serve a forum full of articles, in the folder demo/
	@test -e demo/forum.db || FORUM_DATABASE_URL=$(DEMO) $(BIN)/forum demo
	@FORUM_DATABASE_URL=$(DEMO) $(BIN)/forum serve

test: $(VENV)/dev ## run all tests
	@$(BIN)/pytest

check: $(VENV)/dev ## format, lint, types, import rules, tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

test-faults: $(VENV)/dev ## kill and restart servers under load; needs PostgreSQL
	@$(BIN)/pytest -n0 -rP tests/faults

picture: $(VENV)/dev ## take the picture of the README; needs chromium
	@$(BIN)/python docs/picture.py

benchmark: $(VENV)/dev ## measure each call beside a no-op; needs wrk
	@$(BIN)/python -m benchmarks.throughput

format: $(VENV)/dev ## format the code and mend what the linter can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

requirements: $(VENV)/dev ## write deploy/requirements.txt: what the wheel needs, with hashes
	@$(BIN)/pip-compile --quiet --extra postgres --constraint constraints.txt --generate-hashes --strip-extras \
		--no-header --no-annotate --no-emit-options \
		--output-file deploy/requirements.txt pyproject.toml

clean: ## remove the virtual environment; the data stays
	rm -rf $(VENV)

$(VENV)/run $(VENV)/dev: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo "Installing ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.$(if $(filter %dev,$@),[dev])'
	@touch $@
