# Two commands do everything on a machine with Python 3.11: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
DIR ?=
SEED ?= 1
SECONDS_EACH ?= 3600
# the tests start hundreds of processes: none of them should have to compile everything anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: sanitize burst takeover campaign bench-scale chaos differential help demo test lint types contracts docs unit causes format docs-write clean accessibility pictures report-speed mutation

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

$(READY): requirements/bootstrap.txt requirements/dev.txt requirements/compiler.txt pyproject.toml hatch_build.py pisis_batch/walk.c
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@(command -v cc || command -v gcc || command -v clang) >/dev/null || $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/compiler.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY)  ## the main job on fictitious files, told step by step (DIR=… keeps the workspace)
	@$(BIN)/pisis demo $(DIR)

test: lint types contracts docs unit  ## everything that must hold before a change lands

lint: $(READY)  ## style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)  ## types
	$(BIN)/mypy

contracts: $(READY)  ## who may import whom
	$(BIN)/lint-imports --no-cache

docs: $(READY)  ## generated pages are fresh
	$(BIN)/python docs/generate.py --check

unit: $(READY)  ## tests with coverage
	$(BIN)/coverage erase
	$(BIN)/pytest -n 2 --cov --cov-report=
	$(BIN)/coverage report --skip-covered
	$(BIN)/coverage report --fail-under=95 --skip-covered --include='pisis_batch/layouts/*,pisis_batch/model/*,pisis_batch/reading.py,pisis_batch/validators/*,pisis_batch/verdict.py,pisis_batch/changes.py,pisis_batch/pipeline.py,pisis_batch/partwise.py'

causes: $(READY)  ## how often the first cause told is the right one (FILES=…)
	$(BIN)/python tests/defects.py $(FILES)

mutation: $(READY)  ## mutants of the rules that no test notices (MODULE=usuarios …)
	$(BIN)/python tests/mutation.py $(MODULE)

chaos: $(READY)  ## kill, pause, cut off and mislead real workers for MINUTES=10 from SEED=1; DEFECTS=1 plants defects, TAKEOVER=5 times a relief
	cd tests && PYTHONPATH=. ../$(BIN)/python -m chaos $(if $(DEFECTS),--defects,$(if $(TAKEOVER),--takeover $(TAKEOVER),--minutes $(or $(MINUTES),10))) --seed $(or $(SEED),1) $(if $(JSON),--json $(JSON))

bench-scale: $(READY)  ## files per second with workers against one process, the queue, small files beside a large one; writes docs/capacidad.md
	$(BIN)/python bench/scale.py --files $(or $(FILES),200) --large $(or $(LARGE),5000000) --json bench/scale.json
	$(BIN)/python bench/capacity.py

takeover: $(READY)  ## a worker killed in the middle of a file of RECORDS=300000, as it judges and as it applies: when another has it, and what is done then
	PISIS_RECORDS=$(or $(RECORDS),300000) PISIS_LEASE=$(or $(LEASE),20) $(BIN)/pytest -q -s tests/test_takeover.py

burst: $(READY)  ## FILES=50000 into FOLDERS=100 of a running service, from the outside; COLD=1 with all of them waiting at its start, POISON=1 one that hangs
	cd tests && PYTHONPATH=. ../$(BIN)/python -m campaign.bursts $(if $(DRY),--dry) $(if $(POISON),--poison,--files $(or $(FILES),50000) --folders $(or $(FOLDERS),100) $(if $(COLD),--cold --until $(or $(UNTIL),verdict),--until $(or $(UNTIL),reported)))

campaign: $(READY)  ## reliability in full: kills, power cuts, errors, hostile files, planted defects; two hours (SEED=…, KINDS=…)
	cd tests && for run in $(or $(KINDS),kills:3200 isolated:100 calls:1500 errors:1200 power:9 objects:10000 hostile:2100 smtp:1050 mutated:2400 mutants:1000); do \
	  PISIS_ISOLATION=false POLARS_MAX_THREADS=1 nice -n 10 ../$(BIN)/python -m campaign $${run%%:*} --seed $(SEED) --trials $${run##*:} --seconds $(SECONDS_EACH) || exit 1; echo; \
	done

.venv-fuzz/.ready: requirements/dev.txt requirements/bench.txt
	$(PYTHON) -m venv .venv-fuzz
	$(BIN)/uv pip install --quiet --python .venv-fuzz/bin/python --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python .venv-fuzz/bin/python -c requirements/bench.txt atheris
	touch $@

fuzz: $(READY) .venv-fuzz/.ready  ## bytes to verdict, guided by coverage, for SECONDS_EACH seconds, from and into CORPUS=.fuzz, of ANNEX=SEG500USIN
	mkdir -p $(or $(CORPUS),.fuzz)
	ANNEX=$(ANNEX) POLARS_MAX_THREADS=1 PYTHONPATH=.:tests nice -n 10 .venv-fuzz/bin/python tests/campaign/fuzz_target.py $(or $(CORPUS),.fuzz) \
	  -max_total_time=$(SECONDS_EACH) -artifact_prefix=$(or $(CORPUS),.fuzz)/

sanitize: $(READY)  ## the compiled walk under a C compiler's sanitizers: LINES=40000 of each annex, hostile files, and those of CORPUS
	nice -n 10 $(BIN)/python tests/sanitized.py --lines $(or $(LINES),40000) --seed $(or $(SEED),1) $(wildcard $(or $(CORPUS),.fuzz))
	nice -n 10 $(BIN)/python tests/sanitized.py --defects

format: $(READY)  ## put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

accessibility: $(READY)  ## what axe says of every page that people open (needs Chromium)
	$(BIN)/python tests/looks.py accessibility

report-speed: $(READY)  ## the interactive report of 100,000 findings, timed in Chromium
	$(BIN)/python tests/looks.py speed

pictures: $(READY)  ## the picture of a report in the README (needs Chromium)
	$(BIN)/python tests/looks.py pictures

docs-write: $(READY)  ## write the generated pages anew
	$(BIN)/python docs/generate.py

clean:  ## remove what was installed and generated
	rm -rf .venv .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

differential: $(READY)  ## fast and full reading of 10,000 random files find the same (FILES=… for another number)
	PISIS_FILES=$(or $(FILES),10000) $(BIN)/pytest tests/test_sifting.py tests/test_recognised.py tests/test_small.py tests/test_few.py

SIZE ?= modest

.venv-bench/.ready: requirements/bench.txt
	$(PYTHON) -m venv .venv-bench
	$(BIN)/uv pip install --quiet --python .venv-bench/bin/python -c requirements/bench.txt duckdb frictionless
	touch $@

bench: $(READY) .venv-bench/.ready  ## every measure beside its peers (SIZE=small, modest, full; files drawn from SEED=1)
	nice -n 10 $(BIN)/python bench/run.py --size $(SIZE) --seed $(SEED)

bench-guard: $(READY)  ## instructions of a fixed small workload: at most a tenth more than last written down
	$(BIN)/python bench/guard.py
