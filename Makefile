# Everything below works on a fresh machine with Debian 12 or Ubuntu 24.04, or
# later ones, Go and root: what is missing is installed or built, once, and used
# again the next time.

SHELL := /bin/bash
CACHE ?= $(HOME)/.cache/kubectl-bluegreen
TOOLS := $(CACHE)/tools

GOLANGCI_LINT := $(TOOLS)/golangci-lint-v2.15.0
GOVULNCHECK := $(TOOLS)/govulncheck-v1.9.0
GORELEASER := $(TOOLS)/goreleaser-v2.15.4
ACT := $(TOOLS)/act-v0.2.89

# CLUSTER=lab brings a cluster up; CLUSTER=current uses that of the kubeconfig.
# FLAGS are the demo's own, such as FLAGS=--yes or FLAGS=--keep.
CLUSTER ?= lab
FLAGS ?=
# SOAK are the flags of the soak, such as SOAK=--parts=races,kills.
SOAK ?=
# VERSION is the tag that a release has or will have, such as v1.2.3.
# Nothing in it is read as make's language, nor as a shell's: anybody can name a tag.
VERSION ?=
override VERSION := $(value VERSION)
ifneq ($(VERSION),)
export VERSION
endif
# SIDES is how many labs the tests end to end run in, LATE which of them come last,
# and EARLY what all the others need beside a cluster.
SIDES ?= 2
LATE := TestRouteGroup,TestSkipperIngress,TestVirtualService,TestVirtualServiceSubsets
EARLY := monitoring,database,gateway,routes
# SOAKED are the tests end to end of what others show too, in another way: they are a
# part of the soak, for a test has an hour.
SOAKED := TestAPIServerIsAwayForAMinute,TestClientsThatKeepTheirConnectionsHold,TestDetachedShiftRollsBack,TestGuardContinuesAfterAHangUp,TestKilledShiftIsResumedOrRolledBack,TestPlainServerIsNeverRecycledUnasked,TestPreviewOfGRPCRoute,TestPreviewRollsBack,TestPreviewSurvivesAKill,TestPrometheusOutageHolds,TestStreamOfGRPCKeepsTheOldSide,TestSwitchSetOfWhichOneWasDeletedGoesBack,TestSwitchSetThatDiffersIsTold,TestTiedClientsHold,TestVirtualServicePreview,TestVirtualServicePreviewByCookie,TestWorkersThatFailJobsRollBack,TestWorkersThatNeverTakeTogether

# All is compiled in one way, so that what one part has compiled the next finds in the
# cache. Nothing needs C but the race detector.
export CGO_ENABLED := 0

# A lab needs root, and a clone often belongs to the user who runs sudo. git
# reads such a clone, and Go stamps its version, only when told that it is safe;
# what the caller tells git in the same way stays.
TOLD := $(or $(GIT_CONFIG_COUNT),0)
export GIT_CONFIG_KEY_$(TOLD) := safe.directory
export GIT_CONFIG_VALUE_$(TOLD) := $(CURDIR)
export GIT_CONFIG_COUNT := $(shell expr $(TOLD) + 1)

# inside runs a program of test/ inside a lab of its own, which is started with
# the flags of the third argument, and takes that down.
define inside
	cd test && go build -o ../bin/lab ./lab/cmd/lab
	cd test && trap '../bin/lab down --name $(1)' EXIT && ../bin/lab up --name $(1) --with database $(3) && \
		../bin/lab exec --name $(1) -- go run ./$(1) --lab=$(1) --plugin=$(CURDIR)/bin/kubectl-bluegreen --out=$(CURDIR)/docs/$(2) $(4)
endef

.PHONY: help build demo test early later unit live soak bench lint vulncheck generate setup modules clean pin release release-snapshot

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 18

build: ## build bin/kubectl-bluegreen and bin/bluegreen-action
	@echo "building the plugin and the Action (a few minutes the first time)"
	CGO_ENABLED=0 go build -ldflags '-s -w' -o bin/ ./cmd/...

# fetch runs a command that brings something here, and again where a mirror
# stumbles.
define fetch
	@for pause in 5 30 0; do \
		$(1) >/dev/null && break; \
		[ $$pause != 0 ] || { echo "the Go modules could not be fetched; see above" >&2; exit 1; }; \
		sleep $$pause; \
	done
endef

# Inside a lab there is no network, and the demo, the tests and the benchmarks
# compile there. So every module whose packages they use, and no other one, is
# fetched first: listing the packages needs them all.
modules: ## fetch the Go modules that builds and tests need
	@echo "fetching the Go modules that are not here yet (a minute or two, once)"
	$(call fetch,go list -deps -test ./...)
	$(call fetch,(cd test && go list -deps -test ./...))

setup: modules ## install and build what the lab and the tests need
	cd test && go run ./lab/cmd/lab setup

demo: modules build ## tell the story on a real cluster: a good release, an exhausted database, a bad release
	@echo "building the demo (a minute or two the first time)"
	cd test && go run ./demo --cluster=$(CLUSTER) --plugin=$(CURDIR)/bin/kubectl-bluegreen $(FLAGS)

test: early later unit live ## pass every test but those of the soak

early: modules
	cd test && go run ./lab/cmd/lab setup --with $(EARLY)

# Skipper, the control plane of the mesh and Loki take minutes to build, and few
# tests need them: they are built while the others run, which wait most of their
# time, and those few come last (LATE, and the package loki). Who needs them waits
# for this, and where it has failed, builds them again and says why. So it is with
# act, which is wanted first.
later: early
	mkdir -p bin
	cd test && go build -o ../bin/lab ./lab/cmd/lab
	{ { nice -n 19 make $(ACT); cd test && nice -n 19 ../bin/lab setup; } >bin/setup.log 2>&1 & }

unit: modules ## tests that need no cluster; some start a PostgreSQL of their own on loopback
	go vet ./...
	go test -timeout 20m ./...

live: export BLUEGREEN_PLUGIN := $(CURDIR)/bin/kubectl-bluegreen
live: export BLUEGREEN_ACTION := $(CURDIR)/bin/bluegreen-action
live: export BLUEGREEN_ACT := $(ACT)
live: modules build $(ACT) ## tests on a real cluster
	cd test && go vet ./...
	cd test && go test -count=1 -timeout 20m -p 1 $$(go list ./... | grep -Ev '/(e2e|loki)$$')
	@# End to end in several labs side by side: most of the time something is waited for.
	@# So it is where a run is killed at every point, however few cores there are.
	cd test && go test -c -o ../bin/e2e.test ./e2e
	cd test && go run ./sides --sides=$(SIDES) --dir=e2e --heavy=TestFaults,TestKilledAtEveryTransition --late=$(LATE) --without=$(SOAKED) -- $(CURDIR)/bin/e2e.test -test.v -test.timeout=60m -test.parallel=4
	cd test && go test -count=1 -timeout 30m ./loki

soak: export BLUEGREEN_GORELEASER := $(GORELEASER)
soak: export CGO_ENABLED := 1
soak: setup build $(GORELEASER) ## repetitions, races, long fuzzing, a kill at every point; resumable; writes docs/soak.md
	@# The race detector needs a C compiler, and nothing else here does.
	cd test && go run ./lab/cmd/lab setup --also gcc,libc6-dev
	@# Addons that take minutes to build are there only for parts that need them.
	cd test && go run ./soak --addons $(SOAK) >../bin/soak.addons
	$(call inside,soak,soak.md,--with monitoring --with gateway --audit $$(cat ../bin/soak.addons),--endtoend=$(SOAKED) $(SOAK))

bench: setup build ## comparisons; writes docs/relative.md and docs/benchmarks.md
	cd test && go run ./verdicts --out=$(CURDIR)/docs/relative.md
	$(call inside,bench,benchmarks.md)

# Each builds a clone of a commit, so nothing that lies around gets in. The Go that
# built what is pinned builds it again.
RELEASE = cd test && go run ./release --goreleaser=$(GORELEASER) --version="$$VERSION"

release-snapshot: modules $(GORELEASER) ## build all archives of the newest commit into dist/snapshot, as a release does
	$(RELEASE) --out=../dist/snapshot

pin: modules $(GORELEASER) ## build VERSION of the newest commit, and pin its archives for the Action
	$(RELEASE) --out=../dist/release
	cp dist/release/archives.json action/archives.json

release: export GOTOOLCHAIN := $(or $(shell sed -nE 's/.*"go": "(.*)".*/\1/p' action/archives.json),local)
release: modules $(GORELEASER) ## build what is pinned of VERSION again into dist/release, and compare
	$(RELEASE) --out=../dist/release --verify=../action/archives.json

generate: ## rewrite the generated documents
	go test ./pkg/release ./pkg/gate ./pkg/preflight ./pkg/rollout ./pkg/migration ./pkg/workflows -run 'Current|Document' -update

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

$(GORELEASER):
	@echo "building goreleaser (a few minutes, once)"
	GOBIN=$(TOOLS) go install github.com/goreleaser/goreleaser/v2@v2.15.4
	mv $(TOOLS)/goreleaser $@

# Two that want it wait for each other: one may be in the background.
$(ACT):
	@echo "building act (a minute or two, once)"
	@mkdir -p $(TOOLS)
	$(call fetch,flock $@.lock sh -c 'test -x $@ || { CGO_ENABLED=0 GOBIN=$(TOOLS) go install github.com/nektos/act@v0.2.89 && mv $(TOOLS)/act $@; }')

clean: ## remove what make build made
	rm -rf bin dist
