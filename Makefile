# make demo: environment, install, a whole month on sample data.  make test: environment, all tests.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO ?= demo

.PHONY: demo test lint bench bench-match compiled clean install sample

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: install
	@$(BIN)/jiuzhu demo $(DEMO) --yes
	@echo '（命令 jiuzhu 装在 $(BIN)/jiuzhu）'

# as pip leaves a package: without it every process compiles the sources anew where PYTHONDONTWRITEBYTECODE is set
compiled: install
	@$(BIN)/python -m compileall -q src

test: compiled
	$(BIN)/python -m pytest -n auto

lint: install
	$(BIN)/ruff check src tests sample_data benchmarks
	$(BIN)/ruff format --check src tests sample_data benchmarks
	$(BIN)/mypy

bench: compiled
	$(BIN)/python benchmarks/run.py

# who is the same person: beside Splink and an exact join; the table is bench-work/performance.md; LARGE=--large adds 10,000,000 records
bench-match: compiled
	$(BIN)/python benchmarks/run.py --only match $(LARGE)

clean:
	rm -rf $(VENV) $(DEMO) build dist bench-work
