SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Where moto is installed, a test on moto must not be left out. TOKENKEEP_REQUIRE= (empty) leaves it to chance.
ifeq ($(origin TOKENKEEP_REQUIRE),undefined)
ifneq ($(shell command -v moto_server),)
export TOKENKEEP_REQUIRE := moto
endif
endif

# Of the explorer's output, what it counted and what failed; of the rules that it switched off, not the whole history.
EXPLORED := awk '/^=== / || /^ +--- PASS/ { next } /^        / && quiet { next } { quiet = /[0-9] states: /; print }'

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## run the tests with -race, the explorer of the protocol without, and the tests on OpenBao and Vault
	$(GO) test -race ./...
	TOKENKEEP_EXPLORE=1 GOGC=400 $(GO) test -run '^TestExplore' -v -count=1 . | $(EXPLORED)
	TOKENKEEP_EXPLORE=1 $(GO) test -run '^Test(AStoreOfEverySize|ADayOfSignUps)' ./awssm
	$(MAKE) --no-print-directory testservers
	cd integration_test && $(GO) test -race ./...

.PHONY: testservers
testservers: ## build OpenBao and Vault for the tests on them, which takes minutes once
	cd integration_test && $(GO) run ./testservers

# Where untrusted text comes in: payloads, names, requests, files, filters.
FUZZ := .:FuzzDecodeToken .:FuzzDecodeRecord .:FuzzDecodeNode .:FuzzSecretName ./localstack:FuzzRequest \
	./filestore:FuzzWhatIsReadIsReadAgainAfterAWrite ./gcpsm/gcpsmtest:FuzzFilter
# A count, not a time: at the end of a time Go 1.26 may fail with "context deadline exceeded" (golang/go#75804). On two cores
# these are about 10 s each. Without a bound one input can be minimized for all of it.
FUZZINPUTS ?= 100000

.PHONY: fuzz
fuzz: ## try FUZZINPUTS (100000) random inputs on each codec and on the servers for tests
	@for target in $(FUZZ); do \
		out=$$($(GO) test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(FUZZINPUTS)x -fuzzminimizetime 1000x "$${target%%:*}" 2>&1) || \
			{ echo "$$out"; exit 1; }; \
		echo "$${target#*:}: $$(tail -n 1 <<<"$$out")"; \
	done

.PHONY: bench
bench: ## measure what a store adds to the bare calls of the SDK
	$(GO) test -run '^$$' -bench '^BenchmarkOverhead$$' ./awssm

.PHONY: lint
lint: ## check format, vet, staticcheck and go.mod
	@test -z "$$(gofmt -l .)" || { echo "not formatted; run gofmt -w on:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff
	cd integration_test && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./... && $(GO) mod tidy -diff

.PHONY: soak
soak: ## explore far more histories, for hours; more processes and expiries; the tests of concurrency again
	TOKENKEEP_SOAK=4 GOGC=400 $(GO) test -run '^TestExplore' -v -count=1 -timeout 24h . | $(EXPLORED)
	TOKENKEEP_SOAK=4 $(GO) test -race -count=1 ./oauth ./zoho ./localstack
	TOKENKEEP_SOAK=4 $(GO) test -count=1 -timeout 1h -run MeetsEveryFault ./awssm
	$(GO) test -race -count=3 -run 'FirstSaves|AtOnce|ThatMeet' ./...
	$(GO) test -race -count=3 -run '^Test(Store|Driver|Memstore|AnUnbroken)/^(concurrency|race)$$' ./...

.PHONY: demo
demo: ## show the life of some tokens, on a Secrets Manager inside the program
	$(GO) run ./cmd/tokenkeep demo
