# The two commands of the README (`make demo`, `make test`) and the rest of a developer's day.
# Plain enough for the GNU make 3.81 that macOS ships.
CARGO ?= cargo
# Run as it was built, together with mizan: cargo would build it again alone, with the features it has alone.
BENCH = $${CARGO_TARGET_DIR:-target}/release/mizan-bench
say = printf '\n== %s\n'

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench bench-load dev toolchain fmt-check clippy interop cargo-test tidy deny

help: ## What there is to make.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

toolchain:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing: install version 1.95 or newer with rustup (https://rustup.rs) or your package manager." >&2; exit 3; }
	@command -v cc >/dev/null || { echo "A C compiler is missing, which builds SQLite and the TLS library: install gcc or clang." >&2; exit 3; }

demo: toolchain ## Money in, money out, a reconciliation with planted faults; on SQLite, with nothing installed.
	@$(say) 'building mizan (a first build takes a few minutes)'
	@$(CARGO) build --locked -p mizan
	@$(say) 'mizan demo (serves the console afterwards on a terminal, else ends)'
	@$(CARGO) run --locked --quiet -p mizan -- demo

test: toolchain ## Everything that has to be green: format, lints, every test on every store.
	@$(say) 'what the tests need'
	@./scripts/setup-test.sh
	@$(MAKE) --no-print-directory -j1 fmt-check clippy interop cargo-test

lint: toolchain ## Format, clippy, the rules of the repository, and the dependency tree.
	@$(MAKE) --no-print-directory -j1 fmt-check clippy tidy deny

bench: toolchain ## The measurements of docs/performance.md (about half an hour on two cores).
	@$(say) 'what the benches need'
	@./scripts/setup-test.sh
	@$(say) 'building what is measured (release build)'
	@$(CARGO) build --locked --release -p mizan -p mizan-bench
	@$(say) 'benches'
	@$(BENCH) all

bench-load: toolchain ## Ten minutes of load, ten kills under load, and workers lost in a large run; adds all to docs/performance.md.
	@$(say) 'what the load runs need'
	@./scripts/setup-test.sh
	@$(say) 'building what is measured (release build)'
	@$(CARGO) build --locked --release -p mizan -p mizan-bench
	@$(say) 'soak: ten minutes'
	@$(BENCH) soak
	@$(say) 'crash: ten kills'
	@$(BENCH) crash
	@$(say) 'takeover: a worker killed, a worker asleep'
	@$(BENCH) takeover
	@$(BENCH) report

dev: toolchain ## The service on http://127.0.0.1:8001, on SQLite, in development mode.
	@$(say) 'mizan migrate upgrade head (sqlite://mizan.db)'
	@$(CARGO) run --locked -p mizan -- migrate upgrade head
	@$(say) 'mizan serve'
	@$(CARGO) run --locked --quiet -p mizan -- serve

fmt-check:
	@$(say) 'format'
	@$(CARGO) fmt --all --check

clippy:
	@$(say) 'clippy'
	@$(CARGO) clippy --locked --workspace --all-targets --features mizan/parquet -- -D warnings

tidy:
	@$(say) 'rules of the repository'
	@$(CARGO) run --locked --quiet -p xtask -- tidy
	@$(CARGO) run --locked --quiet -p xtask -- fresh

deny:
	@$(say) 'licences, bans and sources of dependencies'
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	  $(CARGO) deny --offline check licenses bans sources; \
	else \
	  echo "Not checked: cargo-deny is not installed (cargo install cargo-deny)."; \
	fi

interop:
	@$(say) 'other implementations of the same standards'
	@./tests/interop/run.sh

# Last, so that its summary lines end what is printed. Many journeys wait for a deadline, so more threads than cores.
cargo-test:
	@$(say) 'tests'
	@RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} $(CARGO) test --locked --workspace --features mizan/parquet
