# Three commands: `make demo` shows the main job on a clip it makes itself, `make app` opens the window, `make test` runs
# the suite.
# They first bring .venv up to date (environment.py): the first time that downloads, later it takes well under a second.

PYTHON ?= $(shell for python in python3.11 python3.12 python3 python; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null \
	&& echo "$$python" && break; done)
VENV_PYTHON := .venv/bin/python
# One thread each: with more of them than cores, those that wait spin and take the time of those that compute.
PYTEST := OMP_NUM_THREADS=1 $(VENV_PYTHON) -m pytest -n 2

.PHONY: demo app test test-all bench package picture lint fmt clean environment app-environment dev-environment

# Where there is a screen the demo ends in the window, which needs Qt.
demo: $(if $(DISPLAY)$(WAYLAND_DISPLAY),app-environment,environment)
	@$(VENV_PYTHON) -m engine.demo

app: app-environment
	@exec $(VENV_PYTHON) -m desktop_app $(FILE)

test: dev-environment
	@$(PYTEST) -m "not slow and not gpu"

test-all: dev-environment
	@$(PYTEST) -m "not gpu"

bench: dev-environment
	@$(VENV_PYTHON) -m tests.benchmarks

# One folder that runs where no Python is: dist/Plosive (see pyinstaller.spec). Then the packaged program tests itself.
package: dev-environment
	@$(VENV_PYTHON) -m PyInstaller --noconfirm --log-level WARN pyinstaller.spec
	@QT_QPA_PLATFORM=offscreen dist/Plosive/Plosive --self-test

# The pictures of the window in the README.
picture: dev-environment
	@QT_QPA_PLATFORM=offscreen $(VENV_PYTHON) docs/window.py
	@QT_QPA_PLATFORM=offscreen $(VENV_PYTHON) docs/generation.py

lint: dev-environment
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m mypy

fmt: dev-environment
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .

clean:
	@rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

environment app-environment dev-environment:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Plosive needs Python 3.11 or 3.12, and neither was found. Install one (Debian, Ubuntu: apt-get install python3)" \
			"or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 3; fi
	@"$(PYTHON)" environment.py $(if $(filter dev-%,$@),--dev) $(if $(filter app-%,$@),--app)
