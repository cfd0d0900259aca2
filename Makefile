# tianbao. `make run` and `make test` do all the set-up; `make help` lists the rest.
SHELL := /bin/bash
GO    ?= go
BIN   := bin/tianbao
TOOLS := tools/go.mod
TOOL  := $(GO) tool -modfile=$(TOOLS)

# The detector watches everything but SQLite itself and the C library below it: that is C
# in Go's clothes, its memory is its own and not the detector's to see, and watching it
# doubled the time of the tests. Nor does it watch the inside of regexp, whose machines are
# nobody else's and whose patterns never change: a search took five times as long.
RACE  := -race $(foreach p,modernc.org/sqlite/lib modernc.org/libc modernc.org/memory regexp,-gcflags=$(p)=-race=false)

.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

run: build ## build, start with demo data on http://127.0.0.1:8080
	@mkdir -p data
	$(BIN) serve --demo --data data/demo $(ARGS)

build: ## build bin/tianbao
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/tianbao

build-load: ## build bin/tianbao-load, which puts a server under load (docs/performance.md)
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)-load ./cmd/tianbao-load

generate: ## rebuild the committed page bundle and API document
	$(GO) generate ./...
	$(GO) run ./cmd/tianbao openapi > docs/openapi.json

demo-sheet: ## the sheet's element alone with a demo, for other projects, in bin/tb-sheet
	$(GO) run ./cmd/webbuild -dir internal/web/ui -element bin/tb-sheet
	@if [ -x tools/node/node_modules/.bin/tsc ]; then tools/node/node_modules/.bin/tsc --declaration --emitDeclarationOnly --stripInternal --target ES2020 --module ES2020 --moduleResolution Bundler --strict --lib ES2020,DOM,DOM.Iterable --outDir bin/tb-sheet/types internal/web/ui/sheet/element.ts; else echo 'no types were written: they need npm ci in tools/node'; fi

check: ## formatting, vet, staticcheck, floors, generated files (no browser, no database server)
	@test -z "$$($(TOOL) gofumpt -l $$(git ls-files '*.go') | tee /dev/stderr)" || { echo 'run: make fmt'; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) run ./cmd/webbuild -check -dir internal/web/ui
	@$(GO) run ./cmd/tianbao openapi | diff -q - docs/openapi.json >/dev/null || { echo 'docs/openapi.json is old; run: make generate'; exit 1; }
	@$(GO) mod tidy -diff >/dev/null || { echo 'go.mod is not tidy; run: go mod tidy'; exit 1; }
	$(GO) test ./internal/house/

fmt: ## format all Go files
	$(TOOL) gofumpt -w $$(git ls-files '*.go')

setup: ## install what the tests need (browser, fonts, LibreOffice, PostgreSQL, npm oracles)
	scripts/setup.sh

test: setup ## all tests, both engines, race detector, browser
	scripts/with-postgres.sh env TIANBAO_TEST_ALL=1 CGO_ENABLED=1 $(GO) test $(RACE) -shuffle=on -timeout 40m ./...
	$(GO) test -count=1 -run '^TestRounds$$' ./internal/campaign/

e2e: setup ## the browser tests alone; UPDATE=1 takes the manual's pictures anew
	scripts/with-postgres.sh env TIANBAO_TEST_ALL=1 $(GO) test -count=1 ./e2e/ ./internal/web/ui/... $(if $(UPDATE),-update)

test-ime: ## the sheet under a real Pinyin input method, on a screen of its own
	TIANBAO_IME=1 scripts/with-ime.sh $(GO) test -count=1 -v -run RealIME ./internal/web/ui/uitest

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME (default 30s)
	scripts/fuzz.sh $(FUZZTIME)

bench: ## all benchmarks, once, with memory
	scripts/with-postgres.sh $(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./...

bench-growth: ## submit, open sheet, search and progress at 10 000, 100 000 and 1 000 000 rows, with their ratios; some minutes
	scripts/with-postgres.sh $(GO) test -run '^$$' -bench '^BenchmarkGrowth$$' -benchtime 1x -timeout 60m ./internal/campaign

bench-sheet: ## reading and writing workbooks beside inflating and excelize, processor time and peak memory
	$(GO) test -run '^$$' -bench 'Read/.*/100000|Write/100000' -benchtime 3x -count 3 -timeout 30m ./internal/sheet
	$(GO) test -run '^$$' -bench ScanBig -benchtime 1x -timeout 30m ./internal/sheet

bench-peer: build-load ## tianbao beside PocketBase on this disk (tools/peer), each goal with its figure; five minutes
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(BIN)-stripped ./cmd/tianbao
	cd tools/peer && CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o ../../bin/peer .
	$(BIN)-load peer --program $(BIN)-stripped --peer bin/peer --json bin/peer.json $(ARGS)

bench-grid: ## <tb-sheet> and other grids through one battery, tables into docs/sheet.md; a quarter of an hour
	npm ci --prefix tools/sheetbench --ignore-scripts --no-audit --no-fund --loglevel=error
	TIANBAO_SHEETBENCH=1 TIANBAO_IME=1 scripts/with-ime.sh $(GO) test -count=1 -v -timeout 90m -run SheetBench ./internal/web/ui/sheetbench

cover: ## test coverage by package
	scripts/with-postgres.sh env TIANBAO_TEST_ALL=1 $(GO) test -coverprofile=cover.out ./... && $(GO) tool cover -func=cover.out | tail -1

vuln: ## known vulnerabilities in what we call
	$(TOOL) govulncheck ./...

sec: ## gosec over what is shipped; scripts/sec.sh has what is excused and why
	scripts/sec.sh

pii: ## a round of 100,000 people with kills, then every byte on disk searched for ids and phones; some minutes
	TIANBAO_TEST_LONG=1 scripts/with-postgres.sh go test ./e2e -run 'NothingPersonalOnDisk' -count 1 -v -timeout 60m

kills: ## the program killed at every question to a SCIM service while it carries plans out; half an hour
	TIANBAO_TEST_LONG=1 TIANBAO_TEST_ALL=1 $(GO) test ./e2e -run 'PlansKilledAtThePlatform' -count 1 -v -timeout 90m

serializable: ## the store's suite at PostgreSQL's strictest isolation
	scripts/with-postgres.sh sh -c 'TIANBAO_TEST_PG="$$TIANBAO_TEST_PG&default_transaction_isolation=serializable" $(GO) test -count=1 ./internal/storetest -run TestStore/postgres'

power: ## 400 power losses and 600 kills at any step of a writing store; some minutes
	TIANBAO_TEST_LONG=1 $(GO) test -count=1 -v -timeout 60m -run '^TestPowerLoss$$' ./internal/storetest/

drill: ## 20 random moments of a store that writes, is killed and loses its folder, each restored and compared
	TIANBAO_TEST_LONG=1 $(GO) test -count=1 -v -timeout 30m -run '^TestRestoreToMoments$$' ./internal/storetest/

HISTORIES ?= 1000
histories: ## HISTORIES histories of 2,000 deeds by six people at once, judged by porcupine, on both engines; hours
	TIANBAO_HISTORIES=$(HISTORIES) nice -n 19 scripts/with-postgres.sh $(GO) test -count=1 -v -timeout 24h -run '^TestHistories$$' ./internal/campaign/

round: ## rounds of 2,000 and of 40,000 units in virtual time against a plain model; the better part of an hour
	TIANBAO_TEST_FULL=1 nice -n 19 $(GO) test -count=1 -v -timeout 4h -run '^TestRoundOfAProvince$$' ./internal/campaign/

upgrade: ## every earlier schema with data brought to the newest and looked at, on both engines; a minute
	TIANBAO_TEST_LONG=1 scripts/with-postgres.sh $(GO) test -count=1 -run '^TestUpgrade' ./internal/app/

sbom: build ## bill of materials of bin/tianbao (CycloneDX), in bin/tianbao.cdx.json
	$(GO) run ./cmd/sbom $(BIN) > $(BIN).cdx.json

LEVEL ?= 5
pentest: ## sqlmap and wapiti against a demonstration, as nobody and as each role; hours, LEVEL=2 a quarter of one
	scripts/pentest.sh $(LEVEL)

.PHONY: help run build build-load generate demo-sheet check fmt setup test test-ime e2e fuzz bench bench-growth bench-sheet bench-grid bench-peer cover vuln sec pii kills drill power serializable round histories upgrade sbom pentest
