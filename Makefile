# The two commands are `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)  # one more than cores: a test that waits needs none
# Memory that held a photo goes back to the system as soon as it is freed (see core/ui/session.py).
export MALLOC_MMAP_THRESHOLD_ = 65536
# Compiled once, also where the environment says otherwise: tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test bench lock tour messages clean

run: $(VENV)/.app  ## set everything up and open the studio page
	$(BIN)/streamlit run streamlit_app.py

test: $(VENV)/.tests  ## everything that CI checks
	sh tests/system.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m 'not browser' --numprocesses $(WORKERS) --dist loadfile
	$(BIN)/python -m pytest -m browser --numprocesses 2 --dist loadfile || \
		$(BIN)/python -m pytest -m browser --last-failed --last-failed-no-failures none  # alone: a busy machine draws late

bench: $(VENV)/.tests  ## every promised speed, as ratios taken in the same run
	sh tests/system.sh
	$(BIN)/python -m tests.benchmarks

tour: $(VENV)/.tests  ## the screenshots of the README and the pictures of styles, anew
	sh tests/system.sh
	$(BIN)/python -m tests.tour

messages: $(VENV)/.tests  ## sentences that are new or gone, into the catalogues of each language
	$(BIN)/python -m tests.messages

lock: $(VENV)/.tests  ## requirements.in → requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --upgrade requirements.in -o requirements.txt
	cd tests && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --upgrade requirements.in -o requirements.txt

$(VENV)/.app: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "WorkShot needs Python 3.11 or newer.")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.tests: $(VENV)/.app tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build
