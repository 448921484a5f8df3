# Two commands do it all on a bare machine: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench setup clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "vsscli needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,lint]'
	@$(BIN)/python -c 'import cv2' 2>/dev/null || sh tests/install_libs.sh gl
	@touch $@

demo: setup
	$(BIN)/python -m vsscli demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: setup lint
	@$(BIN)/python -m tests.report.browser 2>/dev/null || sh tests/install_libs.sh chromium
	$(BIN)/python -m pytest -n 2 --dist loadgroup --durations=15 $(PYTEST)

bench: setup
	$(BIN)/python -m tests.benchmarks $(BENCH)

clean:
	rm -rf .venv demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
