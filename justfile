# `just ci` runs exactly the checks of CI.

# List the recipes.
default:
    @just --list

# Every check that a change must pass.
ci:
    bash .ci/run

# The checks that take longer: models, the other workspaces, chaos.
thorough:
    bash .ci/thorough

# All tests, or some: `just test -p seda-core conservation`.
test *which="--workspace":
    cargo test --locked {{which}}

# All or some models of the concurrent code, under loom and shuttle.
models *which:
    bash .ci/models {{which}}

# The demo server, with flags: `just demo --workers 1..4`.
demo *flags:
    cargo run --release --locked --example web_server -- {{flags}}

# The example that exports its spans over OTLP; `just opentelemetry test` runs its test.
opentelemetry command="run" *flags:
    cargo {{command}} --locked --manifest-path examples/opentelemetry/Cargo.toml {{flags}}

# Measures the cost of one stage boundary.
bench-hop:
    cargo bench --locked -p benches --bench stage_hop

# Measures the cost of one request, beside axum; needs wrk and two cores.
bench-hello:
    cargo bench --locked -p benches --bench hello

# Measures the CPU time of TLS handshakes and the memory of idle connections.
bench-tls:
    cargo bench --locked -p benches --bench tls

# Measures the cost of the admission layer, without sockets.
bench-layer:
    cargo bench --locked -p benches --bench admission_layer

# Measures the cost of a live page, scrapes and traces.
bench-observers:
    cargo bench --locked -p benches --bench observers_cost

# Compares the lanes of a queue with channels.
bench-queue:
    cargo bench --locked -p benches --bench queue

# Measures the cost of the statistics.
bench-stats:
    cargo bench --locked -p benches --bench stats_cost

# Drives the live page in headless Chromium; needs node and chromium.
live-page *flags:
    cargo build --locked --example live_page
    node tests/browser/live_page.mjs {{flags}}

# Checks licences, bans and advisories; needs cargo-deny.
deny:
    cargo deny --workspace check

# seda and its peers under overload: under 20 minutes after the build, under 3 with `--quick`.
peers *flags:
    cargo run --release --locked --manifest-path benches/peers/Cargo.toml -- {{flags}}

# seda, nothing set and with an SLO, in each case of benches/peers/matrix.toml: 70 minutes, or 7 with
# `--quick`.
overload-matrix *flags:
    cargo run --release --locked --manifest-path benches/peers/Cargo.toml --bin matrix -- {{flags}}

# axum with the admission layer in each case of benches/peers/admission.toml, beside other limits of
# tower.
admission-matrix *flags:
    cargo run --release --locked --manifest-path benches/peers/Cargo.toml --bin matrix -- \
        --cells benches/peers/admission.toml --keep-docs {{flags}}

# An open-loop load over one connection of HTTP/2: `just h2-load http://127.0.0.1:8080/ --rate 4000`.
h2-load *flags:
    cargo run --release --locked --manifest-path benches/peers/Cargo.toml --bin h2_load -- {{flags}}

# Triggers after which a server stays down, in the simulator: 10,000 trials of seda in five minutes.
metastable *flags="--servers seda --seeds 65":
    cargo run --release --locked -p seda-tools -- lab examples/lab/metastable {{flags}}

# Compares the waits that the load generator measures with exact ones.
bench-lindley:
    cargo bench --locked -p benches --bench lindley

# Compares the balancers of replicated stages.
bench-replicas:
    cargo bench --locked -p benches --bench replicas

# Random graphs on threads under attack: `just chaos --minutes 10 --seed 7`.
chaos *flags:
    cargo run --release --locked -p benches --bin chaos -- {{flags}}

# Checks that graphs free every block of memory: `just leak-check --iterations 1000`.
leak-check *flags:
    cargo run --release --locked -p benches --bin leak_check -- {{flags}}

# Graphs on threads with a known bottleneck, and what reports name: 20 minutes at most; see `--help`.
diagnose-live *flags:
    cargo run --release --locked -p benches --bin live_bottleneck -- {{flags}}

# The bottleneck that a report names, against generated graphs whose bottleneck is known.
diagnose *flags:
    cargo run --release --locked -p benches --bin diagnose -- {{flags}}

# Fuzzes seda-http, which has no unsafe code, for some minutes per target: `just fuzz 10 head chunked`.
# Needs nightly Rust, cargo-fuzz and a C++ compiler.
fuzz minutes="10" *targets="head chunked fields connection proxy":
    for target in {{targets}}; do \
        mkdir -p "fuzz/corpus/$target" && \
        cargo +nightly fuzz run --sanitizer none "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
            -dict=fuzz/http.dict -max_total_time=$(({{minutes}} * 60)) || exit; \
    done

# Sends ambiguous requests to seda, nginx, haproxy and h11 and prints each difference; needs Python.
ambiguous *flags:
    cargo build --release --locked -p seda-http --example hello
    python3 benches/ambiguous/compare.py target/release/examples/hello {{flags}}
