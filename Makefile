# make run    build, then prove the simulated terminal: the whole catalogue in virtual time, then the scenarios with
#             the label smoke on the simulated bench, in real time; one report, opens nothing
# make test   everything that passes on a bare Go machine, race detector on; two packages at a time, for
#             many tests wait for real time
# make images the image of issuer and injector for deploy/compose.yaml; pulls nothing
# make screenshots  the pictures in docs/ of the report, of two real runs; needs Chromium and fonts for Chinese
# make check  what CI also asks: formatting, vet, staticcheck when it is installed

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unversioned)

.PHONY: build run images test screenshots check clean

# Static, so that `assay run --hosts containers` can put it into an empty image as it is.
build:
	CGO_ENABLED=0 go build -ldflags "-X main.built=$(VERSION)" -o bin/assay ./cmd/assay

run: build
	bin/assay run --rig virtual --then sim

RUNS ?= 50
MUTANTS ?= 100
SEED ?= 1

proof: build
	bin/assay proof

agree: build
	go run ./suites/agree -assay bin/assay -runs $(RUNS)

mutants:
	go run ./suites/proof/mutants/run -sample $(MUTANTS) -seed $(SEED)

images: build
	mkdir -p deploy/state/issuer deploy/state/network
	docker build -t assay:$(VERSION) -t assay:latest -f deploy/Dockerfile bin

test:
	go vet ./...
	go test -race -p 2 -timeout 20m ./...

# A sound night, then one with a defect: its pages know since when.
SHOTS := $(or $(TMPDIR),/tmp)/assay-screenshots
screenshots: build
	rm -rf $(SHOTS)
	bin/assay run --rig virtual --out $(SHOTS)/20261127-virtual
	bin/assay run --rig virtual --out $(SHOTS)/20261128-virtual
	-bin/assay run --rig virtual --defect no-reversal-after-timeout --out $(SHOTS)/20261129-virtual
	ASSAY_SHOTS=$(CURDIR)/docs ASSAY_SHOTS_RUN=$(SHOTS)/20261129-virtual ASSAY_SHOTS_SCENARIO=NET-LOST-RESPONSE go test -count=1 -run TestScreenshots ./reports

check:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w"; exit 1; }
	go vet ./...
	@if command -v staticcheck >/dev/null; then staticcheck ./...; else echo "staticcheck is not installed: skipped"; fi

clean:
	rm -rf bin runs
