# The commands for development. They need Python 3.11 or later and make; the rest is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := out
SHELL := bash
.SHELLFLAGS := -o pipefail -c
PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --no-compile --constraint constraints.txt
# One line for each package, with its number, and one when all are there and are unpacked.
SHOWN := | awk '/^ *(Downloading|Using cached|Processing) .*[.](whl|gz)/ { sub("^ *", ""); print "  " ++n ": " $$0; fflush() } /^Installing/ { print "  unpacking " NF - 3 " packages"; fflush() }'

.PHONY: help install demo test docs attack lint types golden bench profile mutation clean

# The tests that attack; docs/trust.md lists what they attack.
ATTACKS := tests/leaderboard/test_forged_entries.py tests/leaderboard/test_packages.py tests/leaderboard/test_rounds.py tests/isolation tests/traces/test_spoilt_traces.py tests/agents/test_spoilt_agents.py \
	tests/data/sensing/test_spoilt_series.py tests/traces/test_forged_traces.py tests/traces/test_damaged_traces.py tests/traces/test_dasc_traces.py \
	tests/common tests/data/datasets/test_datasets_crashes.py tests/cli/test_cli_crashes.py \
	tests/execution tests/bench/test_bench_run_folder.py tests/bench/test_bench_suites.py tests/cli/test_cli_output.py \
	tests/cli/test_cli_interrupt.py tests/cli/test_cli_odd_values.py tests/cli/test_cli_trained.py tests/test_registration.py tests/test_policies.py tests/test_runner.py tests/envs/api \
	tests/envs/core/test_tight_times.py tests/envs/test_odd_values.py tests/data/roads/test_roads_osm_files.py tests/data/sensing/test_sensing_tables.py \
	tests/data/orders/test_orders_never_crash.py

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

install: $(VENV)/.installed  ## make .venv with everything, in the versions of constraints.txt

# What the demo needs, without PyTorch and what is for tests; it is there where everything is.
$(VENV)/.core: pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "CrowdGym needs Python 3.11 or later, this is %d.%d: set PYTHON=python3.x" % sys.version_info[:2])'
	@test -x $(BIN)/python || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@test $(VENV)/.installed -nt pyproject.toml || { \
		echo "installing CrowdGym and what it needs into $(VENV): 540 MB, half a minute and the time to download 150 MB"; \
		$(PIP) --editable . $(SHOWN); }
	@touch $@

$(VENV)/.installed: pyproject.toml setup.py constraints.txt | $(VENV)/.core
	@echo "installing PyTorch, what reads data, and the tools of the tests into $(VENV): 1.5 GB more"
	@$(PIP) --editable '.[agents,bench,data,osm,svr,sweep,examples,test,docs,dev]' $(SHOWN)
	@touch $@

demo: $(VENV)/.core  ## Greedy on an embedded city: a table of results and a map
	$(BIN)/crowdgym demo --out $(OUT)

test: install  ## run the whole test suite
	@echo "compiling what is not compiled yet" && for env in "csc_v0 --scenario tiny" "dasc_v0 --scenario tiny" "preference_v0 --scenario preference-tiny" sensing_v0; do \
		$(BIN)/crowdgym run $$env --agent random >/dev/null 2>&1 & done; wait
	$(BIN)/python -m pytest -n 2 --dist worksteal

docs: install  ## build the documentation site in out/docs; a warning is an error
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env docs $(OUT)/docs
	$(BIN)/python -m pytest -q tests/site -m "slow or not slow"
	@echo "open $(OUT)/docs/index.html in a browser"

attack: install  ## repeat the attacks of docs/trust.md, the long ones included
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "slow or not slow" $(ATTACKS)

lint: install  ## run ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install  ## run mypy, strict on the package
	@rm -rf .typing && mkdir -p .typing/crowdgym
	@for part in envs agents data configs; do ln -sfn ../../$$part .typing/crowdgym/$$part; done
	@for file in src/crowdgym/*; do ln -sfn ../../$$file .typing/crowdgym/$$(basename $$file); done
	MYPYPATH=.typing $(BIN)/mypy -p crowdgym

golden: install  ## rewrite the golden traces, after an intended change of the dynamics
	$(BIN)/python tests/golden/rewrite.py

bench: install  ## measure the figures of the README, ours and those of peers; installs the peers temporarily
	$(BIN)/python benchmarks/speed.py

profile: install  ## measure the time of each part of a step
	$(BIN)/python benchmarks/profile_csc.py

mutation: install  ## run mutation testing on TARGETS (default: all), with SAMPLE mutants each (default: all)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check cosmic-ray==8.7.0
	NUMBA_DISABLE_JIT=1 $(BIN)/python tests/mutation/run.py $(TARGETS) $(if $(SAMPLE),--sample $(SAMPLE))

clean:  ## remove .venv and all generated files
	rm -rf $(VENV) .typing $(OUT) build *.egg-info
