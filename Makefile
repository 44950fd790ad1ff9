# Thin: each goal is one command that can be typed by hand. `make demo` on a bare Debian 12 sets up, builds and plays.
BIN := build/release/bin
JOBS ?= 2
# Integration tests that run at once, each with a stack of its own, which keeps half a core busy.
STACKS ?= 2
# How long each fuzz program runs, two at a time.
FUZZ_SECONDS ?= 300

.PHONY: help setup build demo run test build-asan test-asan build-fuzz fuzz build-tsan test-tsan bench bench-loaded bench-scale bench-backtest format format-check clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## install what Debian has, fetch Apache Kafka and protos (quick when done)
	@bash deploy/local/setup.sh

build: setup ## compile everything (release preset)
	@[ -f build/release/build.ninja ] || cmake --preset release
	@NINJA_STATUS="  build  [%f/%t, %es] " ninja -C build/release -j$(JOBS)

demo: build ## play one incident, from metric to page to approved rollback (APPROVE=no: nobody approves)
	@$(BIN)/liveops-sandbox demo

run: build ## keep a sandbox up at real speed until Ctrl-C
	@$(BIN)/liveops-sandbox run

test: build ## unit tests, then integration tests against real Kafka and Redis
	@bash deploy/local/setup.sh tests
	@ctest --preset release -j$(JOBS) -L unit
	@ctest --preset release -j$(STACKS) -LE unit

# The rooms without threads and sockets: quick to build, and where hostile input is read.
ASAN_ROOMS := base config plan sketch engine rehearse admit ingest_codec ingest_statsd ingest_cost_report notifier_policy notifier_slack notifier_pagerduty \
              remediation_policy evaluation_codec sink
build-asan: setup # what test-asan runs, for whoever builds ahead
	@[ -f build/asan/build.ninja ] || cmake --preset asan > build/asan-configure.log
	@NINJA_STATUS="  build  [%f/%t, %es] " ninja -C build/asan -j$(JOBS) $(patsubst %,liveops_%_test,$(ASAN_ROOMS))
test-asan: build-asan ## the pure rooms' tests under the address and undefined-behaviour sanitizers
	@ctest --test-dir build/asan -j$(JOBS) --output-on-failure -LE integration -E NOT_BUILT

# With clang, in a build directory of its own.
build-fuzz: setup
	@bash deploy/local/setup.sh fuzz
	@[ -f build/fuzz/build.ninja ] || cmake --preset fuzz > build/fuzz-configure.log
	@NINJA_STATUS="  build  [%f/%t, %es] " ninja -C build/fuzz -j$(JOBS) liveops_fuzzers
fuzz: build-fuzz ## fuzz what hostile bytes reach, FUZZ_SECONDS each: rules, plans, snapshots, decoders
	@bash deploy/local/fuzz.sh $(FUZZ_SECONDS)

# The rooms with threads, as far as their tests need neither Kafka nor gRPC's streams, which are not built with the sanitizer;
# with clang, since libprotobuf's maps want it.
TSAN_ROOMS := client http redis telemetry runtime evaluation_service ingest_service remediation_service
TSAN_NOT := NOT_BUILT|^(Grpc|WriteSeries|ClientLibrary|NoRoomIn[A-Za-z]*)[.]
TSAN := ignore_noninstrumented_modules=1
build-tsan: setup
	@bash deploy/local/setup.sh fuzz
	@[ -f build/tsan/build.ninja ] || cmake --preset tsan > build/tsan-configure.log
	@NINJA_STATUS="  build  [%f/%t, %es] " ninja -C build/tsan -j$(JOBS) $(patsubst %,liveops_%_test,$(TSAN_ROOMS))
test-tsan: build-tsan ## the tests of the rooms with threads under the thread sanitizer
	@TSAN_OPTIONS="$(TSAN)" ctest --test-dir build/tsan -j$(JOBS) --output-on-failure -LE integration -E '$(TSAN_NOT)'

bench: build ## benchmarks: a table, and build/bench.json
	@bash deploy/local/setup.sh bench
	@$(BIN)/liveops-bench
bench-loaded: build ## the figures under 20,000 samples a second (11 min), and build/bench-loaded.json
	@$(BIN)/liveops-bench build/bench-loaded.json loaded
bench-scale: build ## a million series, 10,000 rules, 200,000 samples a second (8 min), and build/bench-scale.json
	@$(BIN)/liveops-bench build/bench-scale.json scale
bench-backtest: build ## a backtest of 16 partitions: time and memory (2 min), and build/bench-backtest.json
	@$(BIN)/liveops-bench build/bench-backtest.json backtest

format-check: ## say which source files are not formatted
	@git ls-files '*.cpp' '*.h' | xargs clang-format --dry-run -Werror && echo "every source file is formatted"

format: ## clang-format every source file
	@git ls-files -co --exclude-standard '*.cpp' '*.h' | xargs clang-format -i

clean: ## remove what was compiled; fetched packages stay
	@rm -rf build/release build/dev build/asan build/tsan build/fuzz build/demo build/sandbox build/bench-data
