# `just ci` is what CI runs, no more and no less.

# List the recipes.
default:
    @just --list

# Everything that must hold before a change goes in.
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

# What one stage boundary costs.
bench-hop:
    cargo bench --locked -p benches --bench stage_hop

# What one request costs, beside axum; needs wrk and two cores.
bench-hello:
    cargo bench --locked -p benches --bench hello

# What a queue lane is made of, beside channels.
bench-queue:
    cargo bench --locked -p benches --bench queue

# What the statistics cost.
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

# Whether the load generator measures waits as they are.
bench-lindley:
    cargo bench --locked -p benches --bench lindley

# Balances of replicated stages side by side.
bench-replicas:
    cargo bench --locked -p benches --bench replicas

# Random graphs on threads, attacked: `just chaos --minutes 10 --seed 7`.
chaos *flags:
    cargo run --release --locked -p benches --bin chaos -- {{flags}}

# Whether graphs give back what they take, to the last block: `just leak-check --iterations 1000`.
leak-check *flags:
    cargo run --release --locked -p benches --bin leak_check -- {{flags}}
