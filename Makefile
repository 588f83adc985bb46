# Everything below works on a fresh machine with Debian 12 or Ubuntu 24.04, or
# later ones, Go and root: what is missing is installed or built, once, and used
# again the next time.

SHELL := /bin/bash
CACHE ?= $(HOME)/.cache/kubectl-bluegreen
TOOLS := $(CACHE)/tools

GOLANGCI_LINT := $(TOOLS)/golangci-lint-v2.15.0
GOVULNCHECK := $(TOOLS)/govulncheck-v1.9.0

# CLUSTER=lab brings a cluster up; CLUSTER=current uses that of the kubeconfig.
# FLAGS are the demo's own, such as FLAGS=--yes or FLAGS=--keep.
CLUSTER ?= lab
FLAGS ?=

# A lab needs root, and a clone often belongs to the user who runs sudo. git
# reads such a clone, and Go stamps its version, only when told that it is safe;
# what the caller tells git in the same way stays.
TOLD := $(or $(GIT_CONFIG_COUNT),0)
export GIT_CONFIG_KEY_$(TOLD) := safe.directory
export GIT_CONFIG_VALUE_$(TOLD) := $(CURDIR)
export GIT_CONFIG_COUNT := $(shell expr $(TOLD) + 1)

# inside runs a program of test/ inside a lab of its own, and takes that down.
define inside
	cd test && go build -o ../bin/lab ./lab/cmd/lab
	cd test && trap '../bin/lab down --name $(1)' EXIT && ../bin/lab up --name $(1) --with database && \
		../bin/lab exec --name $(1) -- go run ./$(1) --lab=$(1) --plugin=$(CURDIR)/bin/kubectl-bluegreen --out=$(CURDIR)/docs/$(2)
endef

.PHONY: help build demo test unit live soak bench lint vulncheck generate setup modules clean

help: ## list what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

build: ## build bin/kubectl-bluegreen
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/kubectl-bluegreen ./cmd/kubectl-bluegreen

# Inside a lab there is no network, and the demo, the tests and the benchmarks
# compile there. So every module whose packages they use, and no other one, is
# fetched first: listing the packages needs them all.
modules: ## fetch the Go modules that builds and tests need
	@echo "fetching the Go modules that are not here yet (a minute or two, once)"
	@go list -deps -test ./... >/dev/null
	@cd test && go list -deps -test ./... >/dev/null

setup: modules ## install and build what the lab and the tests need
	cd test && go run ./lab/cmd/lab setup

demo: modules build ## tell the story on a real cluster: a good release, an exhausted database, a bad release
	cd test && go run ./demo --cluster=$(CLUSTER) --plugin=$(CURDIR)/bin/kubectl-bluegreen $(FLAGS)

test: setup unit live ## pass every test

unit: modules ## tests that need no cluster; some start a PostgreSQL of their own on loopback
	go vet ./...
	go test ./...

live: export BLUEGREEN_PLUGIN := $(CURDIR)/bin/kubectl-bluegreen
live: modules build ## tests on a real cluster
	cd test && go vet ./...
	cd test && go test -count=1 -timeout 20m -p 1 $$(go list ./... | grep -v '/e2e$$')
	cd test && go test -count=1 -v -timeout 60m ./e2e

soak: setup build ## repetitions, races, long fuzzing, a kill at every point; resumable; writes docs/soak.md
	@# The race detector needs a C compiler, and nothing else here does.
	cd test && go run ./lab/cmd/lab setup --also gcc,libc6-dev
	$(call inside,soak,soak.md)

bench: setup build ## comparisons; writes docs/benchmarks.md
	$(call inside,bench,benchmarks.md)

generate: ## rewrite the generated documents
	go test ./pkg/release ./pkg/gate ./pkg/preflight ./pkg/rollout -run 'Current|Document' -update

lint: $(GOLANGCI_LINT) ## golangci-lint over both modules
	$(GOLANGCI_LINT) run ./...
	cd test && $(GOLANGCI_LINT) run --config ../.golangci.yml ./...

vulncheck: $(GOVULNCHECK) ## known vulnerabilities in what is called
	$(GOVULNCHECK) ./...

$(GOLANGCI_LINT):
	@echo "building golangci-lint (a few minutes, once)"
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	mv $(TOOLS)/golangci-lint $@

$(GOVULNCHECK):
	GOBIN=$(TOOLS) go install golang.org/x/vuln/cmd/govulncheck@v1.9.0
	mv $(TOOLS)/govulncheck $@

clean: ## remove what make build made
	rm -rf bin dist
