# `make demo` and `make test` set up all they need in .venv; the rest is for those who work on ascnode.
PY := .venv/bin/python

.PHONY: help demo demo-rtl hil test deep lint bench docs figures clean

help:
	@echo "make demo   fly four boards of real firmware through one orbit"
	@echo "make demo-rtl  the same with the accelerator's RTL in a simulator beside each board: two and a half minutes"
	@echo "make hil    test the flight software's requirements on virtual boards; writes runs/hil.html"
	@echo "make test   run all tests, ruff and mypy"
	@echo "make deep   tests too long for make test as well"
	@echo "make bench  measure, as ratios against a bound or a peer"
	@echo "make docs   build the documentation as a site in site/"
	@echo "make figures  draw the figures of docs/validation.md anew"
	@echo "make clean  remove .venv and caches"

demo:
	@.ci/setup
	@$(PY) -m ascnode demo

demo-rtl:
	@.ci/setup gateware
	@$(PY) -m ascnode demo --accelerator rtl

hil:
	@.ci/setup test
	$(PY) -m pytest -n 2 --pyargs ascnode_hil.suites --ascnode-report=runs/hil.html

test:
	@.ci/setup test,lint,gateware
	@$(MAKE) --no-print-directory lint
	$(PY) -m pytest -n 2 -m "not deep" --dist worksteal

deep:
	@.ci/setup test,lint,gateware
	$(PY) -m pytest -n 2 --dist worksteal

lint:
	@.ci/setup test,lint,gateware
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) tests/check_firmware_types.py

bench:
	@.ci/setup test,lint,gateware
	$(PY) -m tests.bench
	PYTHONPATH=tests $(PY) -m tests.bench.accelerator
	PYTHONPATH=tests $(PY) -m tests.bench.device
	PYTHONPATH=tests $(PY) -m tests.bench.faults
	PYTHONPATH=tests $(PY) -m tests.bench.ground
	$(PY) -m tests.bench.recover
	$(PY) -m tests.bench.emulated
	$(PY) -m tests.bench.speedup
	PYTHONPATH=tests $(PY) -m tests.bench.page

docs:
	@.ci/setup docs
	$(PY) -m mkdocs build --strict --quiet
	@echo "open site/index.html"

figures:
	@.ci/setup test,lint,gateware
	PYTHONPATH=tests $(PY) -m docs.figures

clean:
	rm -rf .venv site .pytest_cache .mypy_cache .ruff_cache .hypothesis
