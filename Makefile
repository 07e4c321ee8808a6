# make demo: environment, install, a whole month on sample data.  make test: environment, all tests.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO ?= demo

.PHONY: demo test lint bench clean install sample

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: install
	@$(BIN)/jiuzhu demo $(DEMO) --yes
	@echo '（命令 jiuzhu 装在 $(BIN)/jiuzhu）'

test: install
	$(BIN)/python -m pytest -n auto

lint: install
	$(BIN)/ruff check src tests sample_data benchmarks
	$(BIN)/ruff format --check src tests sample_data benchmarks
	$(BIN)/mypy

bench: install
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) $(DEMO) build dist bench-work
