# Everything runs from .venv, which the first target to need it makes with nothing but python3.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: up demo test bench faults lint types imports check clean

up: $(READY)  ## run everything on this machine; Ctrl-C stops it
	@exec $(BIN)/ledgerline up

demo: $(READY)  ## tell the story, check every step, exit 0 or 1
	@$(BIN)/ledgerline demo

test: $(READY)  ## everything that proves the project
	@# Many processes are started: what they import is compiled once, also where that is switched off.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

bench: $(READY)  ## measure; writes build/bench.json
	@$(BIN)/python -m tests.bench

faults: $(READY)  ## 10,000 creates under lost answers, late commits, killed workers; OPTIONS="--parties 300", docs/faults.md
	@$(BIN)/python -m tests.faults.campaign $(OPTIONS)

lint: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/mypy

imports: $(READY)
	@$(BIN)/lint-imports

check: lint types imports

clean:
	rm -rf $(VENV) build data

# uv comes from the package index, checked against its hash, and then installs exactly what uv.lock says.
$(READY): uv.lock pyproject.toml tools/uv.txt
	@echo "setting up $(VENV): the first time this downloads about 150 MB"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ledgerline needs Python 3.11 or newer; say which with: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/uv.txt
	@$(BIN)/uv sync --locked --inexact --compile-bytecode
	@touch $@
