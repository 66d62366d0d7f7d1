# The few words to know: demo, test, check, bench. Each works on a fresh clone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check format bench lock reference schema clean

demo: $(STAMP)
	$(BIN)/ucs-gateway demo $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_documented.py tests/test_examples.py tests/test_architecture.py -q
	$(BIN)/ucs-gateway check --config config/gateway.yaml
	$(BIN)/ucs-gateway test --config config/gateway.yaml
	$(BIN)/ucs-gateway check --config config/genesys-cloud/gateway.yaml
	$(BIN)/ucs-gateway test --config config/genesys-cloud/gateway.yaml
	$(BIN)/ucs-gateway schema --folder config/schema --verify

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(ARGS)

reference: $(STAMP)
	$(BIN)/python -m tests.support.reference_pages
	$(BIN)/python -m tests.support.threats

schema: $(STAMP)
	$(BIN)/ucs-gateway schema --folder config/schema

lock:
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra dev --upgrade pyproject.toml --output-file requirements.lock
	$(VENV)/lock/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --python-version 3.11 --constraint requirements.lock pyproject.toml \
		--output-file requirements.runtime.lock

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(STAMP)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .demo
