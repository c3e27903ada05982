# Targets for people: run, test. The rest are their parts.
#
# Needs git, make and Swift 6.1 or later (https://www.swift.org/install); `setup` installs the libraries on Debian and Ubuntu.

PACKAGES := libfftw3-dev liblapack-dev libhdf5-dev zlib1g-dev libssl-dev pkg-config gnuplot-nox
PKG_CONFIG_NAMES := fftw3f lapack hdf5-serial zlib libcrypto
SOURCES := Package.swift Sources Tests Benchmarks Examples Documentation

# Without it `swift test` builds everything a second time, and the program that `build` made would be another one.
TEST_FLAGS := --disable-testable-imports

# Where `make run` writes.
OUTPUT := results/quickstart

# Damaged files of each kind that `make fuzz` has read.
MUTATIONS := 20000

.PHONY: help setup build run test test-levels docs mutants fuzz lint format clean example
.NOTPARALLEL:

help:
	@echo "make run     install what is missing, build, run scenarios/quickstart.yaml"
	@echo "make test    install what is missing, build, run all tests"
	@echo "make test-levels   after 'make test': run those of numbers again at the machine's other kernel levels"
	@echo "make docs    build the documentation (DocC) into .build/documentation"
	@echo "make mutants plant faults in a copy, tell which of them no test sees (an hour; needs Python 3)"
	@echo "make fuzz    read 20000 damaged files of each kind; none may crash, hang or take absurd memory"
	@echo "make example build and run a package with parts of its own, Examples/OwnParts"
	@echo "make lint    check the formatting"
	@echo "make build   build .build/release/csilink"
	@echo "make setup   install missing Debian packages"
	@echo "make format  format the sources"
	@echo "make clean   remove the build"

setup:
	@command -v swift > /dev/null || { \
	  echo "make: swift not found; install Swift 6.1 or later: https://www.swift.org/install" >&2; exit 1; }
	@if command -v apt-get > /dev/null && command -v dpkg-query > /dev/null; then \
	  missing=""; \
	  for package in $(PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$package 2> /dev/null | grep -q ' installed$$' \
	      || missing="$$missing $$package"; \
	  done; \
	  test -z "$$missing" && exit 0; \
	  echo "make: installing$$missing"; \
	  root=""; \
	  if test "$$(id -u)" -ne 0; then \
	    command -v sudo > /dev/null || { \
	      echo "make: not root and no sudo; as root run: apt-get install$$missing" >&2; exit 1; }; \
	    root=sudo; \
	  fi; \
	  apt="$$root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600"; \
	  $$apt update && $$apt install -y --no-install-recommends $$missing; \
	elif ! pkg-config --exists $(PKG_CONFIG_NAMES) 2> /dev/null; then \
	  echo "make: no apt-get here, and pkg-config does not find all of: $(PKG_CONFIG_NAMES)" >&2; \
	  echo "make: install these libraries with their headers (and gnuplot for the plots); the Debian" >&2; \
	  echo "make: packages are $(PACKAGES)" >&2; \
	  exit 1; \
	fi

build: setup
	swift build -c release

run: build
	.build/release/csilink run scenarios/quickstart.yaml --fresh --output $(OUTPUT)

test: setup
	swift test -c release $(TEST_FLAGS)

# What must not depend on the processor, at every kernel level that this machine can run but the best, which `test` uses: ours
# by CSILINK_KERNEL, with a core of OpenBLAS beside it in case LAPACK comes from there.
LEVEL_TESTS := LinkMathTests|NetworksTests|CodingTests|CodecsTests|LinkTests|ChannelsTests|DatasetsTests|SimulationTests|DeterminismTests
LEVELS := x86-64-v4:SkylakeX x86-64-v3:Haswell baseline:Nehalem

test-levels: setup
	@best=; for level in $(LEVELS); do \
	  kernel=$${level%%:*}; core=$${level##*:}; \
	  if ! CSILINK_KERNEL=$$kernel .build/release/csilink list > /dev/null 2>&1; then \
	    echo "make: this machine has no kernel level $$kernel"; \
	  elif test -z "$$best"; then \
	    best=$$kernel; echo "make: 'make test' runs at kernel level $$kernel"; \
	  else \
	    echo "make: tests at kernel level $$kernel, OpenBLAS core $$core"; \
	    CSILINK_KERNEL=$$kernel OPENBLAS_CORETYPE=$$core \
	      swift test -c release $(TEST_FLAGS) --skip-build --filter '$(LEVEL_TESTS)' || exit 1; \
	  fi; \
	done

docs: build
	Documentation/build.sh

# A package of its own that brings a channel and a codec. It shares the build, so that the library is not compiled again; what is
# planned for one package must not be taken for the plan of the other.
example: build
	swift build -c release --package-path Examples/OwnParts --scratch-path .build --disable-build-manifest-caching
	rm -rf .build/own-parts
	.build/release/OwnParts Examples/OwnParts/own-parts.yaml .build/own-parts
	swift build -c release --disable-build-manifest-caching

mutants: setup
	python3 Tests/Mutants/run.py all .build/mutants

fuzz: setup
	swift run -c release ReaderFuzz --mutations $(MUTATIONS)

lint:
	swift format lint -s -r $(SOURCES)

format:
	swift format -i -r $(SOURCES)

clean:
	swift package clean
