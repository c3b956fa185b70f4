# gradflow: `make run` and `make test` do everything, `make help` lists the rest.
#
# Debug builds, single tests and the like are plain SwiftPM: swift build, swift test --filter …

# The experiment to run, and further arguments of `gradflow run`: make run ARGS='--threads 1'
EXPERIMENT ?= experiments/three-stage.yaml
ARGS ?=
# RUN, where it is given, is the run directory whose figures to draw: make figures RUN=runs/0001-three-stage
# Arguments of the benchmarks: make bench BENCH_ARGS='--quick --limit 60'
BENCH_ARGS ?=

.DEFAULT_GOAL := run
.NOTPARALLEL:
.PHONY: run build test test-kill test-mutations test-engines test-report test-notebooks sanitize sanitize-address sanitize-thread verify verify-long bench bench-test lint format docs figures notebooks setup clean help

# MARK: - How everything is built

# Warnings of this package are errors in `make test`, and also elsewhere with the toolchains that
# the sources are known to be free of warnings with: a newer one must not keep anybody from running.
# Other flags would mean another build of everything, so `run` and `test` share these.
compiler = $(shell swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p')
STRICT ?= $(if $(filter 6.2 6.3,$(compiler)),1,0)
test: STRICT = 1

# SUNDIALS elsewhere than under /usr: SUNDIALS_PREFIX=/opt/sundials make run
ifdef SUNDIALS_PREFIX
export SUNDIALS_PREFIX
sundials = -Xcc "-I$(SUNDIALS_PREFIX)/include" \
  -Xlinker "-L$(SUNDIALS_PREFIX)/lib" -Xlinker "-L$(SUNDIALS_PREFIX)/lib64" \
  -Xlinker "-rpath=$(SUNDIALS_PREFIX)/lib" -Xlinker "-rpath=$(SUNDIALS_PREFIX)/lib64"
endif

# What the manifests of runs say of the source; empty outside a git checkout.
export GRADFLOW_COMMIT = $(shell git rev-parse HEAD 2>/dev/null)
export GRADFLOW_DIRTY = $(if $(shell git status --porcelain 2>/dev/null | head -n 1),1,0)

flags = -c release --explicit-target-dependency-import-check error $(sundials)
swift-build = GRADFLOW_STRICT=$(STRICT) swift build $(flags)
# `swift test` alone would compile all modules again, with their internals open to tests.
swift-test = GRADFLOW_STRICT=$(STRICT) swift test $(flags) --disable-testable-imports

python = .venv/bin/python
newest-run = ls -1dt runs/*/ 2>/dev/null | head -n 1
# The modules with documentation; not the C ones and not the program.
documented = $(filter-out BuildStamp CKernels CNumerics gradflow flow-benchmarks,$(notdir $(wildcard Sources/*)))

# The experiments that make claims, and those whose constructions have bounds.
claiming = $(filter-out experiments/published-full.yaml,$(shell grep -l '^claims:' experiments/*.yaml))
bounded = $(wildcard experiments/approximation-*.yaml)

# MARK: - Targets

run: build ## Run the experiment (EXPERIMENT=…, ARGS=…) into a fresh folder under runs/, with its figures
	@before=$$($(newest-run)); \
	.build/release/gradflow run "$(EXPERIMENT)" $(ARGS) || exit; \
	run=$$($(newest-run)); \
	if [ "$$run" = "$$before" ]; then exit 0; fi; \
	if $(MAKE) --no-print-directory .venv/complete; then \
	  PYTHONPATH=plots $(python) -m gradflow_plots "$$run"; \
	else \
	  echo "note: no figures, for the Python environment could not be made (see above);" \
	    "the run is complete. Later: make figures RUN=$$run"; \
	fi

build: setup ## Build the program, .build/release/gradflow
	$(swift-build) --product gradflow

# These start thousands of programs on all cores, beside which all others would take minutes.
crowded = HostileExperimentTests|HostileFileTests|HostileDiskTests|KillTests

test: setup .venv/complete lint ## Build strictly, lint, and run all tests
	$(swift-build) --build-tests
	PATH="$(CURDIR)/.venv/bin:$$PATH" $(swift-test) --skip '$(crowded)'
	$(swift-test) --filter '$(crowded)'
	cd plots && "../$(python)" -m pytest

test-kill: setup ## Kill runs and sweeps a hundred times and resume them, in some three minutes
	$(swift-build) --build-tests
	GRADFLOW_KILLS=100 $(swift-test) --filter KillTests

# How many mutants of each experiment are checked, how many are run, and how many of every other file are read.
MUTANTS ?= 10000
MUTANT_RUNS ?= 1000
MUTANT_FILES ?= 2000

test-mutations: setup ## Damage every experiment 10 000 times, and run a thousand: hours (MUTANTS=300 MUTANT_RUNS=50 …)
	$(swift-build) --build-tests
	GRADFLOW_MUTANTS=$(MUTANTS) GRADFLOW_MUTANT_RUNS=$(MUTANT_RUNS) GRADFLOW_MUTANT_FILES=$(MUTANT_FILES) \
	  $(swift-test) --filter 'HostileExperimentTests|HostileFileTests'

sanitize: sanitize-address sanitize-thread ## All tests under address, leak, undefined-behaviour and thread sanitizers

# Builds of their own, .build-address and .build-thread. For some of the tests: make sanitize-thread TESTS='--filter …'
sanitize-address sanitize-thread: sanitize-%: setup .venv/complete
	@scripts/setup.sh sanitize
	GRADFLOW_STRICT=$(STRICT) PATH="$(CURDIR)/.venv/bin:$$PATH" scripts/sanitize.sh $* $(flags)

# The script's own exit code, which make turns into 2, is in its last line; scripts/test-engines.sh gives it itself.
test-engines: build ## Run a sweep on Slurm, Snakemake and GNU parallel, interrupted: the bytes of a local run
	@scripts/test-engines.sh

test-notebooks: build .venv-notebooks/complete ## Execute all notebooks, with their flows, and compare the kinds of their outputs
	@PYTHONPATH=plots .venv-notebooks/bin/python -m gradflow_plots.notebooks --check --program .build/release/gradflow

# Exit codes as for the engines: scripts/test-report.sh gives its own, make turns them into 2.
test-report: build .venv/complete ## Look at reports in headless Chromium: 360, 800, 1600 pixels, light, dark, print
	@scripts/test-report.sh

# All of them run, whichever fails; the first exit code is the one that counts.
verify: build ## Run all experiments that make claims or have bounds, and judge them
	@status=0; \
	.build/release/gradflow verify $(ARGS) $(claiming) || status=$$?; \
	for file in $(bounded); do \
	  echo; .build/release/gradflow approximate $(ARGS) $$file || { code=$$?; [ $$status -ne 0 ] || status=$$code; }; \
	done; exit $$status

verify-long: build ## Judge the published runs at their full lengths, 535 000 steps of eleven data sets: seventy minutes
	.build/release/gradflow verify --whole $(ARGS) experiments/published-*.yaml

bench: build .venv-bench/complete ## Measure gradflow beside its peers (BENCH_ARGS=…): hours
	$(swift-build) --product flow-benchmarks
	PYTHONPATH=benchmarks:plots .venv-bench/bin/python -m peers $(BENCH_ARGS)

bench-test: .venv-bench/complete ## Test the benchmarks
	cd benchmarks && ../.venv-bench/bin/python -m pytest

lint: setup
	swift format lint --strict --parallel --recursive Package.swift Sources Tests

format: setup ## Format all sources
	swift format --in-place --parallel --recursive Package.swift Sources Tests

docs: setup ## Build the documentation into docs/.build; warnings are errors
	mkdir -p docs/.build
	swift package --allow-writing-to-directory docs/.build generate-documentation \
	  --enable-experimental-combined-documentation --warnings-as-errors \
	  $(documented:%=--target %) --output-path docs/.build

# What the same program left under runs/gallery is not run again; without it the flows take some two minutes on two cores.
ifdef RUN
figures: setup .venv/complete
	@PYTHONPATH=plots $(python) -m gradflow_plots "$(RUN)"
else
figures: build .venv/complete ## Draw the figures of a run (RUN=…), or without RUN the gallery with its flows
	@PYTHONPATH=plots $(python) -m gradflow_plots.gallery --program .build/release/gradflow
endif

notebooks: build .venv-notebooks/complete ## Execute plots/notebooks, with the flows that are missing, and keep their outputs
	@PYTHONPATH=plots .venv-notebooks/bin/python -m gradflow_plots.notebooks --program .build/release/gradflow

setup: ## Install what is missing from the system's packages (the other targets do it, too)
	@scripts/setup.sh

.venv/complete: plots/requirements.txt
	@scripts/python-environment.sh .venv $< "the figures"

.venv-notebooks/complete: plots/requirements-notebooks.txt plots/requirements.txt
	@scripts/python-environment.sh .venv-notebooks $< "the notebooks"

# Several gigabytes, so nothing but the benchmarks asks for it.
.venv-bench/complete: benchmarks/requirements.txt
	@scripts/python-environment.sh .venv-bench $< "the benchmarks (6 GB)"

clean: ## Remove everything that was built; runs/ stays
	rm -rf .build .build-address .build-thread docs/.build .venv .venv-bench .venv-notebooks .venv-engines

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 13
