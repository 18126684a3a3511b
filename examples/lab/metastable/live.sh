#!/usr/bin/env bash
# Two of the triggers on a running server, a minute and a half: a stall (SIGSTOP for a second), and
# five times the load for ten seconds. Each is tried with nothing set, and with all controllers off.
# The commands are built first:
#
#   cargo build --release --locked -p seda-tools && cargo build --release --locked --example web_server
#   bash examples/lab/metastable/live.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
programs=${CARGO_TARGET_DIR:-target}/release
address=127.0.0.1:18117
server=
trap '[ -z "$server" ] || kill "$server"' EXIT

# Starts the server; the arguments are its flags.
start() {
    "$programs/examples/web_server" --listen "$address" "$@" >/dev/null 2>&1 &
    server=$!
    sleep 1
}

# Loads the server by a profile, with clients that give up after 750 ms and try three times.
load() {
    "$programs/seda" step "http://$address/sleep?millis=$1" --profile "$2" --arrivals "$3" \
        --retries 2 --backoff 50ms..1s --deadline 750ms --slo 750ms --bin 1s --quiet ||
        [ $? = 3 ]  # a busy machine may be late with its requests
    kill "$server"
    wait "$server" || true
    server=
}

for control in on off; do
    echo "== a stall of a second, 10 s after the start; controllers $control"
    start --workers 2..2 --control "$control"
    (sleep 10 && kill -STOP "$server" && sleep 1 && kill -CONT "$server") &
    load 25 50/s:25s uniform

    echo "== 8/s, 40/s for ten seconds, 8/s; controllers $control"
    start --workers 1..1 --control "$control"
    load 50 8/s:5s,40/s:10s,8/s:15s poisson
done
