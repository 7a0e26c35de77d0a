.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
# The make of macOS starts simple recipes by itself, from the PATH that it was started with, unless the shell is one that
# it does not know: it knows /bin/sh and /bin/bash.
SHELL := bash

# given: the value of a variable, from make's command line alone. What the shell's environment has under the same name
# is neither a choice nor consent.
given = $(if $(filter command,$(origin $(1))),$($(1)))

ifneq ($(filter access bootstrap contract doctor platform synth,$(MAKECMDGOALS)),)
ifeq ($(strip $(call given,ENVIRONMENT)),)
$(error Name the environment on the command line, as in `make $(MAKECMDGOALS) ENVIRONMENT=dev`$(if \
  $(ENVIRONMENT),; ENVIRONMENT=$(ENVIRONMENT) in the shell does not count))
endif
endif

# answer: what a command prints. Ctrl-C ends make, which starts nothing after it; a Python that starts would end with a
# traceback, and one that prints when make is gone as well.
answer = $(shell trap '' INT; printed=$$($(1)); echo "$$printed")

# The Python that everything here runs on; `make test PYTHON=python3.11` for another.
ifndef PYTHON
PYTHON := $(call answer,python3 infra/find_python.py)
endif
export PYTHON
PYTHON_VERSION := $(call answer,"$(PYTHON)" -c 'import sys; print(sys.version.split()[0])')
ifeq ($(PYTHON_VERSION),)
$(error No usable Python; see the message above)
endif

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/uv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export UV_PYTHON_DOWNLOADS := never
# uv reads nothing that was set for pip, so a mirror that pip is told of counts for uv unless that has its own.
ifdef PIP_INDEX_URL
export UV_INDEX_URL ?= $(PIP_INDEX_URL)
endif
ifdef PIP_EXTRA_INDEX_URL
export UV_EXTRA_INDEX_URL ?= $(PIP_EXTRA_INDEX_URL)
endif
# The CDK CLI asks for a newer version of itself whenever it prints to a terminal.
export CDK_DISABLE_VERSION_CHECK := 1
# Byte code is what makes the second start of the CDK fast.
unexport PYTHONDONTWRITEBYTECODE

UV := .tools/uv/ready-$(PYTHON_VERSION)
DEVELOPMENT := .venv/ready-$(PYTHON_VERSION)
# The same without what functions carry.
OURS := .venv/ours-$(PYTHON_VERSION)
LOCAL_AWS := .tools/local-aws/ready-$(PYTHON_VERSION)
CHECKOV := .tools/checkov/ready-$(PYTHON_VERSION)
NODE_MODULES := node_modules/ready
BUNDLE := .tools/bundle/ready-$(PYTHON_VERSION)
FUNCTION_LOCKS := $(wildcard functions/*/requirements.txt)
# That each lock is of what its source names, which is said before anything is installed from one. `make lock` mends it.
ifeq ($(filter lock,$(MAKECMDGOALS)),)
LOCKED := build/locked
endif
# What the CDK needs to synthesize.
SYNTHESIS := $(DEVELOPMENT) $(NODE_MODULES) $(BUNDLE)

# Of targets that work on all functions, or on one.
OF_FUNCTION = $(if $(call given,FUNCTION),--function "$(FUNCTION)")
OF_EVENT = $(if $(call given,EVENT),--event "$(EVENT)")

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(SYNTHESIS) $(LOCAL_AWS) ## Send an event through each function, deployed to a local AWS (FUNCTION=name, EVENT=event.json, JSON=1)
	@python -m infra.local.run $(OF_FUNCTION) $(OF_EVENT) $(if $(call given,JSON),--json)

.PHONY: dev
dev: $(SYNTHESIS) $(LOCAL_AWS) ## Deploy each change that is saved to a local AWS, and send an event through it, until Ctrl-C (FUNCTION=name, EVENT=event.json)
	@python -m infra.local.dev $(OF_FUNCTION) $(OF_EVENT)

.PHONY: debug
debug: $(DEVELOPMENT) ## Run a handler in this process, for breakpoint() (FUNCTION=name, EVENT=event.json, AWS=local or shell: what it may reach, WAIT=1)
	@python -m infra.local.debug $(OF_FUNCTION) $(OF_EVENT) $(if $(call given,AWS),--aws "$(AWS)") $(if $(call given,WAIT),--wait)

.PHONY: local
local: $(DEVELOPMENT) $(LOCAL_AWS) ## Start a local AWS and leave it running until Ctrl-C; `make run` in another terminal uses it
	@python -m infra.local

.PHONY: function
function: $(DEVELOPMENT) ## Make a new function with its tests (NAME=refunds)
	@python -m infra.scaffold "$(call given,NAME)"

.PHONY: add
add: $(UV) ## Let a function carry a package (FUNCTION=refunds PACKAGE=pydantic), and lock it
	@"$(PYTHON)" -m infra.dependencies.add "$(call given,FUNCTION)" "$(call given,PACKAGE)"

.PHONY: doctor
doctor: $(SYNTHESIS) ## Tell whether ENVIRONMENT=dev could be deployed, and what to run next; it changes nothing
	@python -m infra.pipeline build --environment "$(ENVIRONMENT)" > /dev/null
	@python -m infra.pipeline doctor --environment "$(ENVIRONMENT)"

.PHONY: access
access: $(SYNTHESIS) ## Give the repository's workflows access to the account of ENVIRONMENT=dev, as you (YES=1 does not ask)
	@python -m infra.pipeline access --environment "$(ENVIRONMENT)" $(if $(call given,YES),--yes)

.PHONY: bootstrap
bootstrap: $(SYNTHESIS) ## Prepare the account for the CDK to deploy ENVIRONMENT=dev, as you, after `make access` (YES=1 does not ask)
	@python -m infra.pipeline bootstrap --environment "$(ENVIRONMENT)" $(if $(call given,YES),--yes)

.PHONY: platform
platform: synth ## Deploy the platform that previews share (ENVIRONMENT=preview), as you (YES=1 does not ask)
	@python -m infra.pipeline deploy --environment "$(ENVIRONMENT)" $(if $(call given,YES),,--ask)

.PHONY: contract
contract: $(DEVELOPMENT) ## Ask the deployed ENVIRONMENT=dev what we could not know of AWS, as you (YES=1 does not ask)
	@python -m infra.pipeline contract --environment "$(ENVIRONMENT)" --report "build/contract/$(ENVIRONMENT).json" \
		$(if $(call given,YES),--yes)

.PHONY: test
test: lint types templates unit ## What guards a merge, but for the slow tests

.PHONY: lint
lint: $(DEVELOPMENT) ## Check style and format
	ruff check
	ruff format --check

.PHONY: format
format: $(DEVELOPMENT) ## Mend what can be mended of style and format
	ruff check --fix
	ruff format

.PHONY: types
types: $(DEVELOPMENT) $(NODE_MODULES) ## Check types
	pyright

.PHONY: unit
unit: $(SYNTHESIS) $(LOCAL_AWS) ## Run the tests, but for the slow ones
	pytest --ignore tests/deployments --ignore tests/rehearsal --ignore tests/adoption

.PHONY: test-deployments
test-deployments: $(SYNTHESIS) $(LOCAL_AWS) ## Run the slow tests: whole deployments to the local AWS, and the rehearsal on a pipeline that is broken on purpose
	pytest tests/deployments tests/rehearsal

.PHONY: test-adoption
test-adoption: $(SYNTHESIS) $(LOCAL_AWS) ## Run the slowest tests: what a fork changes first, each on a copy of this checkout
	pytest tests/adoption --durations 0 --durations-min 5

.PHONY: replay
replay: $(DEVELOPMENT) ## Tell whether executions of the recorded histories could resume on this code (FUNCTION=name for one)
	@python -m infra.replay check $(OF_FUNCTION)

.PHONY: record
record: $(DEVELOPMENT) ## Record those histories anew, from this code (FUNCTION=name for one)
	@python -m infra.replay record $(OF_FUNCTION)

.PHONY: docs
docs: $(SYNTHESIS) $(LOCAL_AWS) ## Refresh the blocks of output in README.md and docs/ (PAGE=docs/roles.md for one page)
	@python -m tests.docs $(if $(call given,PAGE),--page "$(PAGE)")

.PHONY: rehearse
rehearse: $(SYNTHESIS) $(LOCAL_AWS) ## Run the real workflows on this machine, from a pull request to the last environment (SCENARIO=merge for one, KEEP=1 leaves the local AWS up)
	@python -m tests.rehearsal $(if $(call given,SCENARIO),--scenario $(SCENARIO)) $(if $(call given,KEEP),--keep) \
		$(if $(call given,ACTIONS),--actions "$(ACTIONS)")

# Whose templates are checked: each environment's, those of the access to each that workflows deploy, and a preview's.
# That a file is there for each environment of project.toml, and no other, is checked where one is read.
ENVIRONMENTS := $(patsubst environments/%.toml,%,$(wildcard environments/*.toml))
TEMPLATES := $(addprefix build/templates/,$(ENVIRONMENTS))
ACCESS_TEMPLATES := $(addprefix build/templates/access-,$(filter-out local,$(ENVIRONMENTS)))
PREVIEW_TEMPLATES := build/templates/pr-1

.PHONY: templates
templates: $(SYNTHESIS) $(CHECKOV) ## Check every template with cfn-lint and checkov
	@rm -rf build/templates
	@$(MAKE) --no-print-directory --jobs 2 $(TEMPLATES) $(PREVIEW_TEMPLATES) $(ACCESS_TEMPLATES)
	cfn-lint build/templates/*/*.template.json
	.tools/checkov/bin/checkov --directory build/templates --framework cloudformation --skip-download --compact --quiet

$(TEMPLATES): build/templates/%: $(SYNTHESIS)
	@python -m infra.pipeline build --environment $* --output $@
$(PREVIEW_TEMPLATES): build/templates/pr-%: $(SYNTHESIS)
	@python -m infra.pipeline build --pull-request $* --output $@
$(ACCESS_TEMPLATES): build/templates/access-%: $(SYNTHESIS)
	@cdk synth --quiet --context access=true --context environment=$* --output $@

.PHONY: synth
synth: $(SYNTHESIS) ## Build the stacks of ENVIRONMENT=dev, or of a preview (ENVIRONMENT=preview PULL_REQUEST=1)
	@python -m infra.pipeline build --environment "$(ENVIRONMENT)" $(if $(call given,PULL_REQUEST),--pull-request "$(PULL_REQUEST)")

.PHONY: bundle
bundle: $(BUNDLE) ## Install what the functions carry, and tell the sizes of their bundles
	@python -m infra.bundle

.PHONY: tools
tools: $(DEVELOPMENT) $(NODE_MODULES) ## Install what the pipeline's commands need

.PHONY: setup
setup: $(SYNTHESIS) $(LOCAL_AWS) $(CHECKOV) ## Install everything into this checkout, from the locks

.PHONY: clean
clean: ## Remove all that was installed or built
	rm -rf .tools .venv build cdk.out node_modules

.PHONY: lock
lock: $(UV) $(OURS) ## Resolve what pyproject.toml, package.json and functions name, and write the locks (UPGRADE=1 moves all versions)
	@"$(PYTHON)" -m infra.dependencies.lock$(if $(call given,UPGRADE), --upgrade)
	@$(INSTALL) npm $(if $(call given,UPGRADE),update,install) --package-lock-only

build/locked: $(wildcard pyproject.toml package.json package-lock.json requirements*.txt infra/local/requirements.txt \
		functions/*/requirements.in) $(FUNCTION_LOCKS)
	@"$(PYTHON)" -m infra.dependencies.stale
	@mkdir -p build
	@touch $@

# Where a registry can't be reached, it says so; and else what is at fault, where --otherwise names that.
INSTALL = "$(PYTHON)" -m infra.dependencies.registries

$(UV): requirements-uv.txt | $(LOCKED)
	@echo "Installing uv" >&2
	@rm -rf .tools/uv
	@"$(PYTHON)" -m venv .tools/uv
	@$(INSTALL) .tools/uv/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes --requirement $<
	@touch $@

# python-environment: folder, lock file, stamp.
define python-environment
$(1)/$(3)-$(PYTHON_VERSION): $(2) $(UV) | $(LOCKED)
	@echo "Installing $(2) into $(1)" >&2
	@rm -rf $(1)
	@uv venv --quiet --python "$(PYTHON)" $(1)
	@$(INSTALL) uv pip sync --quiet --python $(1) --require-hashes $(2)
	@touch $$@
endef
$(eval $(call python-environment,.venv,requirements.txt,ours))
$(eval $(call python-environment,.tools/local-aws,infra/local/requirements.txt,ready))
$(eval $(call python-environment,.tools/checkov,requirements-checkov.txt,ready))

# Tests run on what Lambda runs: what functions pin comes on top of what we do, and nothing stays of what they pinned.
$(DEVELOPMENT): $(OURS) $(FUNCTION_LOCKS) | $(LOCKED)
	@echo "Installing what the functions carry into .venv" >&2
	@$(INSTALL) uv pip sync --quiet --python .venv --require-hashes requirements.txt
	@$(if $(FUNCTION_LOCKS),$(INSTALL) \
		--otherwise "The functions' locks can't be installed together; where they differ: \`make lock\` lets them agree" \
		uv pip install --quiet --python .venv --no-deps --require-hashes $(FUNCTION_LOCKS:%=--requirement %))
	@touch $@

$(BUNDLE): $(FUNCTION_LOCKS) $(wildcard environments/*.toml) $(DEVELOPMENT)
	@echo "Installing what the functions carry for Lambda" >&2
	@python -m infra.bundle > /dev/null
	@touch $@

# Node is ours, and stays whatever functions carry.
$(NODE_MODULES): package-lock.json $(OURS) | $(DEVELOPMENT) $(LOCKED)
	@echo "Installing package-lock.json into node_modules" >&2
	@$(INSTALL) npm ci --no-progress --loglevel error > /dev/null
	@touch $@
