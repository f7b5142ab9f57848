PYTHON ?= python3
ROBUSTNLI_PORT ?= 8501
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help app venv test check lint format wheel docs audit

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

# The stamp is newer than the lock and what describes the package only when .venv holds what they say.
.venv/installed: requirements.lock pyproject.toml setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	touch $@

venv: .venv/installed ## make .venv and install everything into it

app: .venv/installed ## start the app at http://localhost:8501 (ROBUSTNLI_PORT=...)
	$(BIN)/streamlit run app.py --server.port $(ROBUSTNLI_PORT)

test: .venv/installed ## run all tests but the slow ones (see test-slow); what is skipped is listed with its reason
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile -m 'not browser and not slow'
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'browser and not slow'

test-slow: .venv/installed ## run the tests that take more than 15 s each
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile -m 'slow and not browser'
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'slow and browser'

format: .venv/installed ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: .venv/installed ## format, lint and types, looked at only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test ## format, lint, types, tests

docs: .venv/installed ## build the documentation site into site/
	$(BIN)/python -m pip install --quiet -c requirements.lock -r requirements-docs.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

audit: ## ask the public list of known faults about every pinned package (needs the network)
	test -x .venv/audit/bin/pip-audit || { $(PYTHON) -m venv .venv/audit && .venv/audit/bin/pip install --quiet pip-audit; }
	.venv/audit/bin/pip-audit --no-deps --disable-pip -r requirements.lock

# Without build/: what an older build left there would go into the wheel.
wheel: .venv/installed ## build dist/*.whl, which carries the app and the checkpoints
	rm -rf build
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	rm -rf build
