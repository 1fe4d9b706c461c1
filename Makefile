# Two commands do everything on a machine with Python (3.11 to 3.13) and make: `make demo` and `make test`.
# Each makes its own virtual environment in .venv from the tested versions in .ci/constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt

.PHONY: demo test check tests quality clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.run  ## watch the puck line make a mixed order on simulated devices
	$(BIN)/cellctl demo

test: quality tests  ## everything that must hold before a commit

# first what computes, a process for each core; then lines and devices in real time, which mostly wait.
# The many processes that these start are up in half the time with their code compiled.
tests: export PYTHONDONTWRITEBYTECODE =
tests: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not live and not slow"
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "live and not slow"

quality: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# a half-made environment (no ensurepip) is removed: it would be taken for a whole one the next time
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "cellctl needs Python 3.11 to 3.13; name one with: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 2; }

$(VENV)/.run: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	$(INSTALL) -e .
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	$(INSTALL) -e '.[test,quality]'
	$(INSTALL) -e '.[peers]' || echo "not every peer of the motion core can be had here: their tests are skipped" >&2
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
