# make demo     train a network on handwritten digits, and draw it
# make test     lint, types and all tests; with EXTRAS=oracle,scipy,plot,notebook,browser,fast also those
#               that need them
# make bench    measure speed and memory, and print a table
# make clean    remove the environment and all caches
#
# Each needs Python, its venv module and make, and installs the rest into .venv the first time.

PYTHON ?= python3
EXTRAS ?=
ARGS ?=

BIN := .venv/bin
comma := ,
empty :=
# "test,a,b" for EXTRAS="b,a" in any order: the name of what is installed, and of its stamp
TESTING := $(subst $(empty) $(empty),$(comma),$(strip test $(sort $(subst $(comma), ,$(EXTRAS)))))

.PHONY: demo test lint bench clean
.NOTPARALLEL: # one environment, one installer

demo: .venv/.has-plot
	@$(BIN)/python -m optim.demo $(ARGS)

# As many processes as cores, of one thread each; a file counts what its tests have seen.
test: lint
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

lint: .venv/.has-$(TESTING)
	$(BIN)/ruff check
	$(BIN)/mypy

# With every library that it compares with; without them: .venv/bin/python -m tests.benchmarks
bench: .venv/.has-test,fast,oracle,plot
	@$(BIN)/python -m tests.benchmarks $(ARGS)

.venv/.has-%: pyproject.toml | $(BIN)/pip
	@echo "Installing autograd-core[$*] into .venv"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

clean:
	rm -rf .venv build dist out .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
