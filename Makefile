# make run    build, then prove the simulated terminal on the simulated bench; opens nothing
# make test   everything that passes on a bare Go machine, race detector on
# make check  what CI also asks: formatting, vet, staticcheck when it is installed

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unversioned)

.PHONY: build run test check clean

build:
	go build -ldflags "-X main.built=$(VERSION)" -o bin/assay ./cmd/assay

run: build
	bin/assay run

test:
	go vet ./...
	go test -race ./...

check:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w"; exit 1; }
	go vet ./...
	@if command -v staticcheck >/dev/null; then staticcheck ./...; else echo "staticcheck is not installed: skipped"; fi

clean:
	rm -rf bin runs
