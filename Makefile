# Each target sets up what it needs by itself: .venv (the fuzz: .venv-fuzz) from the lock with hashes, and a .env with
# random keys.
# Options for pytest, the demo and the benchmarks: make test ARGS="tests/runtime -k webhook"

SHELL := /bin/sh
PYTHON ?=
ARGS ?=
BIN := .venv/bin
COMPILE := uv pip compile --universal -p 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --quiet

# The first Python of at least 3.11; pyenv's stand-ins for versions that are not chosen do not count.
define bootstrap
	@for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 $(BIN)/python; do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec $$candidate aiffinity/embedded/bootstrap.py $(1); \
		fi; \
	done; \
	echo "Python 3.11 or newer was not found. Install it (Debian: apt-get install python3 python3-venv;" >&2; \
	echo "macOS: brew install python) or name it: make $@ PYTHON=/path/to/python3" >&2; \
	exit 1
	@$(BIN)/python aiffinity/embedded/dotenv.py
endef

.PHONY: help run test demo lint bench bench-faults fuzz lock

help: ## Show this list.
	@echo "make TARGET   (Python 3.11 or newer is all that a machine needs)"
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "  %-13s %s\n", $$1, $$2 }'

run: ## Run the whole platform on 127.0.0.1:8000 (PORT=… for another port); Ctrl-C stops it.
	$(call bootstrap,run)
	@exec $(BIN)/python manage.py runplatform $(ARGS)

demo: ## Walk the main job against a platform of its own, with the Acme Weather provider.
	$(call bootstrap,run)
	@exec $(BIN)/python -m examples.demo $(ARGS)

test: ## Run the tests in parallel (ARGS="…" goes to pytest).
	$(call bootstrap,dev)
	@tests/find_chromium.sh
	@# The many processes of a run share what the first one compiled.
	@exec env PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: ## Check style, types, import layers, migrations and settings.
	$(call bootstrap,dev)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	@# No database runs here: without a pool Django notes that at once and compares models and files alone.
	DATABASE_POOL_SIZE=0 $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

bench: ## Measure the figures that the README names.
	$(call bootstrap,dev)
	@exec $(BIN)/python -m bench $(ARGS)

bench-faults: ## Break one thing after another and print what came of it (ARGS="--short", ARGS=redis-frozen).
	$(call bootstrap,dev)
	@exec $(BIN)/python -m bench.faults $(ARGS)

# pytest would load the plugin of schemathesis, so it is nowhere near the tests.
fuzz: BIN := .venv-fuzz/bin
fuzz: ## Call every operation with made-up data as each kind of caller (ARGS="--examples 5", ARGS="--caller app").
	$(call bootstrap,fuzz)
	@exec $(BIN)/python -m bench.fuzz $(ARGS)

lock: ## Compile the requirement locks from pyproject.toml.
	$(call bootstrap,dev)
	$(BIN)/$(COMPILE) pyproject.toml --extra embedded -o requirements.txt
	$(BIN)/$(COMPILE) pyproject.toml --extra embedded --extra dev -o requirements-dev.txt
	$(BIN)/$(COMPILE) pyproject.toml --extra embedded --extra fuzz -o requirements-fuzz.txt
