PYTHON ?= python3
ROBUSTNLI_PORT ?= 8501
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help app venv test check format

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

# The stamp is newer than the lock and pyproject.toml only when .venv holds what they say.
.venv/installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	touch $@

venv: .venv/installed ## make .venv and install everything into it

app: .venv/installed ## start the app at http://localhost:8501 (ROBUSTNLI_PORT=...)
	$(BIN)/streamlit run app.py --server.port $(ROBUSTNLI_PORT)

test: .venv/installed ## run every test this machine can run; what is skipped is listed with its reason
	$(BIN)/python -m pytest

format: .venv/installed ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: .venv/installed ## format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest
