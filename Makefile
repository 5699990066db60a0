# One word per habit; `make` alone lists them.
# Works with GNU make 3.81 and later (macOS ships that one).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGE_VENV := build/package-venv
INSTALL := -m pip install --disable-pip-version-check --quiet -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run test lint types bench train freeze package test-package

help:  ## list these words
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

# A stamp per set of packages: what is there is not installed again until its list changes.
$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "PairLens needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is missing; run: bash scripts/system-packages.sh" >&2; exit 1; }
	@echo "Installing what PairLens needs into $(VENV) (the first time takes a few minutes) ..." >&2
	$(BIN)/python $(INSTALL) -e .
	@touch $@

$(VENV)/.train: $(VENV)/.base
	@echo "Installing what training needs into $(VENV) ..." >&2
	$(BIN)/python $(INSTALL) -e '.[train]'
	@touch $@

$(VENV)/.dev: $(VENV)/.train
	@echo "Installing what development needs into $(VENV) ..." >&2
	$(BIN)/python $(INSTALL) -e '.[train,dev]'
	@touch $@

run: $(VENV)/.base  ## open the window; ARGS="doctor" and the like are passed on
	@bash scripts/system-packages.sh --check || true
	@$(BIN)/pairlens $(ARGS)

test: $(VENV)/.dev  ## run every test; ARGS="-k decode" and the like are passed on
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev  ## style (ruff) and who may import whom (import-linter)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(VENV)/.dev  ## mypy, strict
	@$(BIN)/mypy

bench: $(VENV)/.dev  ## measure; writes build/bench/*.json
	@for bench in tests/benchmarks/bench_*.py; do $(BIN)/python "$$bench" || exit 1; done

train: $(VENV)/.train  ## train, export and calibrate a model pack; ARGS are passed on
	@$(BIN)/python -m engine.training $(ARGS)

# The package's own metadata, which come along, hold its version and the README.
$(PACKAGE_VENV)/.package: pyproject.toml constraints.txt engine/__init__.py README.md
	@mkdir -p build
	@test -x $(PACKAGE_VENV)/bin/python || $(PYTHON) -m venv $(PACKAGE_VENV)
	$(PACKAGE_VENV)/bin/python $(INSTALL) -e '.[package,raw]'
	@touch $@

# What depends on the order of a set would differ from build to build.
freeze: export PYTHONHASHSEED := 0
freeze: $(PACKAGE_VENV)/.package  ## freeze the program into dist/pairlens (no Python needed to run it)
	$(PACKAGE_VENV)/bin/python -m PyInstaller --noconfirm --clean --log-level WARN \
		--distpath dist --workpath build/pyinstaller packaging/pairlens.spec

package: freeze  ## freeze, and make this system's installer in dist/ (docs/packaging.md)
	@case $$(uname -s) in \
		Linux) $(PACKAGE_VENV)/bin/python packaging/linux/installers.py ;; \
		Darwin) bash packaging/macos/make_dmg.sh ;; \
		*) echo "Windows: compile packaging/windows/pairlens.nsi (docs/packaging.md)" >&2; exit 1 ;; \
	esac

test-package: $(VENV)/.dev  ## try the .deb of dist/ in a bare Debian (root, debootstrap; takes minutes)
	@$(BIN)/python -m pytest --timeout 1800 tests/installers/debian $(ARGS)
