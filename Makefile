# make run     the cluster of cluster.yaml on this machine, with a live screen
# make test    all tests, ends with a count
# make check   format and imports, without running anything
# make bench   the benchmarks (ARGS="--help")
# make experiments   every shipped experiment in virtual time, one on real processes; reports in experiment-results/
# make package  a tarball and a Debian package, in .build/package
# make clean   removes what was built
# make sanitize, make fuzz SECONDS=60, make format

MAKEFLAGS += --no-print-directory
CONFIG ?= cluster.yaml
SECONDS ?= 60
ARGS ?=
LIVE ?= one-way-cut
comma := ,
SOURCES := Package.swift Sources Tests bench
# The Swift runtime goes into the programs: they start faster, and run where there is no toolchain.
RELEASE := swift build -c release --static-swift-stdlib

.PHONY: run test check bench experiments package clean sanitize fuzz format lint install

run: install
	@.ci/quiet "building hearsay" $(RELEASE) --product hearsay
	@exec .build/release/hearsay run --config $(CONFIG)

test:
	@.ci/install tests
	@.ci/test

check: install lint
	@.ci/quiet "building with import checks" swift build --build-tests --explicit-target-dependency-import-check error

bench: install
	@.ci/quiet "building hearsay" $(RELEASE) --product hearsay
	@.ci/quiet "building hearsay-bench" $(RELEASE) --product hearsay-bench
	@exec .build/release/hearsay-bench $(ARGS)

# LIVE is run on real processes, too, in the two arms that differ most: a minute and a half. LIVE= leaves that out.
experiments: install
	@.ci/quiet "building hearsay" $(RELEASE) --product hearsay
	@.build/release/hearsay experiment run $(notdir $(basename $(wildcard bench/experiments/*.yaml))) --driver simulated \
	    --quiet --output experiment-results/simulated
	@$(if $(LIVE),.build/release/hearsay experiment run $(LIVE) --arms off$(comma)protect --output experiment-results/live)

package:
	@.ci/install package
	@.ci/quiet "building hearsay" $(RELEASE) --product hearsay
	@.deploy/package/build
	@.deploy/package/check

sanitize:
	@.ci/install tests
# Memory errors, not leaks: what a finished command or test held onto in circles ends with its process.
	@ASAN_OPTIONS=detect_leaks=0 .ci/test --sanitize=address --scratch-path .build-asan
	@.ci/test --sanitize=thread --scratch-path .build-tsan

fuzz: install
	@.ci/fuzz $(SECONDS)

format:
	@swift format -i -r -p $(SOURCES)

lint:
	@.ci/quiet "checking the format" swift format lint -s -r -p $(SOURCES)

install:
	@.ci/install

clean:
	@rm -rf .build .build-* .build_*
