# make run    a furnace being controlled, in the terminal    (ARGS="--for 60s --json")
# make test   everything that is checked in minutes          (ARGS="-k name")
# make long   what takes longer
# make soak   the tests five times beside four busy processes      (ARGS="--times 20 hil_tests/test_microbit.py")
# make bench  the figures, side by side with peers
# make lint   the linter
# make docs   the pages that a command writes

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := setup.py pyproject.toml $(wildcard cext/*.py cext/*.pxd edge/emulator/models/*.py edge/emulator/models/*.pxd)
DEBIAN := mosquitto mosquitto-clients mbpoll tshark libmodbus-dev pkg-config qemu-system-arm firmware-microbit-micropython

.PHONY: run test long soak bench docs lint build debian clean

run: $(VENV)/.demo
	@echo "starting broker, emulated furnace, node and reporter; Ctrl-C ends"
	@$(BIN)/furnace-edge demo $(ARGS)

test: debian $(VENV)/.test
	$(BIN)/python -m pytest -q -n 4 --dist worksteal $(ARGS)

long: debian $(VENV)/.test
	$(BIN)/python -m pytest -q -m long $(ARGS)

soak: debian $(VENV)/.test
	$(BIN)/python -m tests.soak $(ARGS)

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks $(ARGS)

# The pages that a command writes; those that measure or watch something take minutes, and the picture of the demo is
# taken from a quiet machine only. What can't be made is named at the end, and the others are made.
docs: debian $(VENV)/.test
	$(BIN)/python -m edge.box.config.reference > docs/node-file.md
	$(BIN)/python -m edge.box.config.json_schema > docs/node-file.schema.json
	@failed=""; \
	for make in docs/make_*.py; do \
	  echo $$make; $(BIN)/python -m docs.$$(basename $$make .py) || failed="$$failed $$make"; \
	done; \
	[ -z "$$failed" ] || { echo "not made:$$failed"; exit 1; }

lint: $(VENV)/.test
	$(BIN)/ruff check .

build: $(VENV)/.test

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "furnace-edge needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "no virtual environment: apt-get install python3-venv"; exit 2; }

# A virtual environment that tests can use serves the demo as well.
$(VENV)/.demo: $(BIN)/python $(SOURCES)
	@echo "installing furnace-edge and what the demo needs, and compiling the core: a minute or two the first time"
	@[ -e $(VENV)/.test ] && extra=test || extra=demo; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$$extra]"
	@$(BIN)/furnace-edge doctor | grep -E "^numerical core|^to mend" || true
	@touch $@

$(VENV)/.test: $(BIN)/python $(SOURCES)
	@echo "installing furnace-edge and what its tests need, and compiling the core: some minutes the first time"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	@$(BIN)/furnace-edge doctor | grep -E "^numerical core|^to mend" || true
	@touch $@ $(VENV)/.demo

# What some tests need from Debian: installed when we may, else named. Under CI=true nothing may be left out.
debian:
	@missing=""; \
	for package in $(DEBIAN); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing from Debian:$$missing"; \
	    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing >/dev/null; \
	  else \
	    echo "not installed:$$missing; tests that need them are left out. As root: apt-get install$$missing"; \
	  fi; \
	fi

clean:
	rm -rf $(VENV) build dist *.egg-info
	find cext edge -name '*.so' -delete
