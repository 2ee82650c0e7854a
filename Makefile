# Set-up, demo and checks. All software goes into .venv; nothing needs root.

VENV := .venv
PYTHON := $(VENV)/bin/python
# A changed lock, project file or place of this folder installs anew.
STATE := $(shell { echo '$(CURDIR)'; cat requirements.txt pyproject.toml; } | sha256sum | cut -c1-16)
STAMP := $(VENV)/.installed-$(STATE)
# Looked for only when .venv has to be made.
BASE_PYTHON = $(shell for python in python3.11 python3.12 python3.13 python3; do \
  $$python -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
  && echo $$python && break; done)
PIP := $(PYTHON) -m pip --quiet --disable-pip-version-check --no-input --timeout 60 --retries 5

# Address of an index that has PyTorch without CUDA: `make install TORCH_INDEX=…` leaves NVIDIA's libraries out.
TORCH_INDEX :=

.PHONY: help install demo demo-natural test lint lock config-docs clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

install: $(STAMP) ## put all software into .venv (6 GB on Linux; the other targets do it too)

demo: $(STAMP) ## learn from synthetic speech, measure, draw figures: results/demo
	@$(VENV)/bin/snakemake

demo-natural: $(STAMP) ## the same with a natural voice, which a teacher helps to learn: results/natural-en
	@$(VENV)/bin/snakemake --configfile config/corpora/natural-en.yaml

test: $(STAMP) ## run the tests
	@$(PYTHON) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(STAMP) ## check style and format of the Python code and the rules
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/snakefmt --check Snakefile workflow/rules
	@$(VENV)/bin/snakemake --lint
	@$(VENV)/bin/lint-imports

lock: $(STAMP) ## write requirements.txt anew from pyproject.toml, for all versions of Python and all machines
	@$(VENV)/bin/uv --quiet pip compile pyproject.toml --universal --extra dev --no-annotate \
	  --custom-compile-command "make lock" --output-file requirements.txt
	@sed -i.old "/sys_platform == 'win32'/d; /sys_platform == 'emscripten'/d" requirements.txt && rm requirements.txt.old

config-docs: $(STAMP) ## write the tables of config/README.md from the schema
	@$(PYTHON) -m unscribed.config.documentation

clean: ## delete the results of the demos
	@rm -rf results/demo results/natural-en

$(STAMP):
	@case "$$(uname -sm)" in "Linux x86_64"|"Linux aarch64"|"Darwin arm64") ;; *) \
	  echo "error: requirements.txt is for Linux (x86_64, aarch64) and macOS (arm64), not for $$(uname -sm)."; exit 1;; \
	esac
	@grep -qs "=[\"']*$(CURDIR)/$(VENV)[\"']*$$" $(VENV)/bin/activate || { \
	  [ "$(BASE_PYTHON)" ] || { \
	    echo "error: no Python 3.11, 3.12 or 3.13 with its module venv was found. Debian, Ubuntu: apt-get install python3-venv."; \
	    echo "Without root: conda env create --file envs/cpu.yaml (it says how to go on)."; exit 1; }; \
	  echo "making $(VENV) with $(BASE_PYTHON)"; \
	  $(BASE_PYTHON) -m venv --clear $(VENV); }
	@echo "installing $$(grep -c == requirements.txt) packages into $(VENV), some minutes the first time"
	@if [ "$(TORCH_INDEX)" ]; then \
	  grep -E '^torch(audio)?==' requirements.txt > $(VENV)/torch.txt; \
	  grep -Ev '^(torch|torchaudio|triton|nvidia-[a-z0-9-]*|cuda-[a-z]*)==' requirements.txt > $(VENV)/others.txt; \
	  $(PIP) install --no-deps --index-url "$(TORCH_INDEX)" --requirement $(VENV)/torch.txt \
	  && $(PIP) install --requirement $(VENV)/others.txt; \
	else $(PIP) install --requirement requirements.txt; fi
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.installed-*
	@touch $@
