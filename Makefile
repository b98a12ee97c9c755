# Needs make and Python 3.11 or newer; everything else is installed by itself.
#
# Another pair of Python and Django lives in another folder:
#   make test PYTHON=python3.13 VENV=.venv313

PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8000
# Arguments of pytest: make test ARGS="tests/tasks -x"
ARGS   ?=

# The demo is an app like a user's: `make serve HEADWAY_APPS=` leaves it out.
HEADWAY_APPS ?= asgi_app.demo

RUN_LOCK := requirements/run.lock
DEV_LOCK := requirements/dev.lock
# A stamp is newer than what it was installed from, or is made again.
RUN_STAMP := $(VENV)/.run-installed
DEV_STAMP := $(VENV)/.dev-installed

# -m instead of the scripts in bin/: those name an absolute path, so they break
# when the folder is moved.
PY  := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -qq

# Only a PYTHON that was asked for has to be the one the folder was made with.
ENSURE_VENV := $(PYTHON) scripts/ensure_venv.py $(if $(filter file,$(origin PYTHON)),,--same-python) $(VENV)

# What the tests need beside Python: installed where it is missing.
TOOLS = CHROMIUM="$$($(PY) scripts/ensure_chromium.py)" && export CHROMIUM && \
	$(PY) scripts/ensure_services.py > /dev/null && $(PY) scripts/ensure_nginx.py > /dev/null

# Most tests wait for other processes; a few of them wait together.
JOBS ?= 3
TEST := $(PY) -m pytest -n $(JOBS) --dist worksteal

# Tests that say the same on both backends, or bring their own, are run once: what is about
# processes, sockets, documents and browsers, and not about what is stored.
ONCE := architecture bench client deploy services \
	asgi_app/test_flow.py asgi_app/test_rootpath.py asgi_app/test_runserver.py \
	asgi_app/test_static.py \
	tasks/agents tasks/runners/test_command.py tasks/runners/test_process.py \
	asgi_app/test_stopping.py e2e/browsers e2e/demonstration e2e/test_farewell.py \
	e2e/test_stalled.py e2e/test_wheel.py

# What test-all runs on: the oldest and the newest that are supported here.
PYTHONS ?= python3.11 python3.13

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve test test-embedded test-servers test-upgrade test-all
.PHONY: check format soak bench rivals lock clean venv
.NOTPARALLEL:

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

serve: export HEADWAY_APPS := $(HEADWAY_APPS)
serve: $(RUN_STAMP) ## serve the demo on 127.0.0.1, PORT=8000
	@$(PY) manage.py migrate --no-input --verbosity 0
	@echo "Headway: http://127.0.0.1:$(PORT)/"
	@exec $(PY) -m daphne -b 127.0.0.1 -p $(PORT) asgi_app.asgi:application

test: test-embedded test-servers ## run the whole test suite on both backends, ARGS= for a part of it

test-embedded: $(DEV_STAMP) ## on SQLite and the in-memory layer
	@$(TOOLS) && exec $(TEST) $(ARGS)

# Not again what does not touch a database or a layer.
test-servers: $(DEV_STAMP) ## on a PostgreSQL and a Redis of its own
	@$(TOOLS) && exec $(PY) -m tests.services -- $(TEST) \
		-m "not soak and not bench and not upgrade and not embedded" \
		$(ONCE:%=--ignore=tests/%) $(ARGS)

test-upgrade: $(DEV_STAMP) ## beside the previous release
	@$(TOOLS) && exec $(PY) -m pytest -m upgrade $(ARGS)

test-all: ## all of that with the oldest and the newest Python
	@for python in $(PYTHONS); do \
		$(MAKE) test test-upgrade PYTHON=$$python VENV=.venv-$$(basename $$python) || exit; \
	done

# The type checker reads the models of the apps that are loaded.
check: export HEADWAY_APPS := asgi_app.demo
check: $(DEV_STAMP) ## formatting, lint, types, architecture
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest -q tests/architecture

format: $(DEV_STAMP) ## format, and fix what lint can fix
	$(PY) -m ruff check --fix --silent --exit-zero .
	$(PY) -m ruff format .

soak: $(DEV_STAMP) ## the long tests, on both backends
	@$(TOOLS) && $(PY) -m pytest -m "soak and not servers" $(ARGS) && \
		exec $(PY) -m tests.services -- $(PY) -m pytest \
			-m "soak and not embedded" $(ONCE:%=--ignore=tests/%) $(ARGS)

bench: $(DEV_STAMP) ## the benchmarks
	@exec $(PY) -m tests.bench $(ARGS)

# The others have dependencies of their own, so they live in a folder of their own.
rivals: $(DEV_STAMP) ## Headway beside other task queues, on the same servers
	@test -x $(VENV)/rivals/bin/python || $(PY) -m venv $(VENV)/rivals
	@$(VENV)/rivals/bin/python -m pip install -qq --disable-pip-version-check \
		-r tests/bench/rivals/requirements.txt
	@$(TOOLS) && exec $(PY) -m tests.bench.rivals $(VENV)/rivals/bin/python $(ARGS)

lock: ## write the locks from pyproject.toml, UPGRADE=1 for the newest versions
	@$(PYTHON) scripts/lock.py $(if $(UPGRADE),--upgrade)

clean: ## remove what was installed and cached; the database stays
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +

venv:
	@$(ENSURE_VENV)

$(RUN_STAMP): $(RUN_LOCK) | venv
	@echo "Installing $(RUN_LOCK) into $(VENV)"
	@$(PIP) install -r $(RUN_LOCK)
	@touch $@

# The project itself is built by the locked backend: nothing unlocked is fetched.
$(DEV_STAMP): $(DEV_LOCK) $(RUN_LOCK) pyproject.toml | venv
	@echo "Installing $(DEV_LOCK) and the project into $(VENV)"
	@$(PIP) install -r $(DEV_LOCK)
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(RUN_STAMP) $@
