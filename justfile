# Shortcuts: every recipe is one command that runs without just. `just ci` is exactly what CI runs.

# List the recipes.
default:
    @just --list

# All checks of a change.
ci:
    bash .ci/run

# All tests; `just test -p seda-core conservation` for some.
test *which="--workspace":
    cargo test --locked {{which}}

# The models of the concurrent code, all or some, under loom and shuttle.
models *which:
    bash .ci/models {{which}}

# The demo server; `just demo --workers 1..4` for flags.
demo *flags:
    cargo run --release --locked --example web_server -- {{flags}}

# The cost of one stage boundary.
bench-hop:
    cargo bench --locked -p benches --bench stage_hop

# The cost of one request, beside axum; needs wrk and two cores.
bench-hello:
    cargo bench --locked -p benches --bench hello

# The queue of a stage, beside channels.
bench-queue:
    cargo bench --locked -p benches --bench queue

# The cost of the statistics.
bench-stats:
    cargo bench --locked -p benches --bench stats_cost

# Licences, bans and advisories; needs cargo-deny.
deny:
    cargo deny --workspace check

# seda and its peers under overload; `--quick` takes under 3 minutes behind the build, else under 20.
peers *flags:
    cargo run --release --locked --manifest-path benches/peers/Cargo.toml -- {{flags}}

# seda with an SLO in every case of benches/peers/matrix.toml; an hour at most, `--quick` six minutes.
overload-matrix *flags:
    cargo run --release --locked --manifest-path benches/peers/Cargo.toml --bin matrix -- {{flags}}

# The waits that the load generator measures, beside Lindley's recursion.
bench-lindley:
    cargo bench --locked -p benches --bench lindley

# Balances of replicated stages side by side.
bench-replicas:
    cargo bench --locked -p benches --bench replicas

# Random graphs on threads, attacked: `just chaos --minutes 10 --seed 7`.
chaos *flags:
    cargo run --release --locked -p benches --bin chaos -- {{flags}}

# Checks that graphs return every allocated block: `just leak-check --iterations 1000`.
leak-check *flags:
    cargo run --release --locked -p benches --bin leak_check -- {{flags}}
