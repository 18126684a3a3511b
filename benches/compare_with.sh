#!/usr/bin/env bash
# Compares this checkout with an earlier revision: the same results, and the same speed.
#
#     bash benches/compare_with.sh REV [--speed] [--rounds N]
#
# REV is checked out into a temporary git worktree and built in release, in a target folder of its
# own; this checkout is built in release, too. The worktree is removed on exit.
#
# Results. Both `seda` binaries simulate every lab spec of REV:
#
#     seda sim examples/lab/SPEC.toml --json FILE
#
# Both read the specs of REV, so an edited spec is no difference; specs that REV lacks are listed
# and not compared. The two JSON files must be equal in every figure and key. Left out is the prose
# of the journal, `seen` and `action` of a decision. Specs with other results are printed, and the
# exit code is then 1.
#
# Speed (--speed). The benchmark executables of both run alternately, N times (5 by default); the
# order is swapped each time. Each is built and located by
#
#     cargo bench --locked -p benches --bench stage_hop --bench hello --no-run
#
# and run without arguments. For each figure the ratio new / old of the medians of one round is
# taken; the median and the range of the ratios are printed. They decide nothing: a machine with
# other work on it needs more rounds. `hello` needs wrk and curl; without them it is skipped.
#
# Needs git, cargo and jq, and for --speed two cores. A build takes some minutes, five rounds of
# `stage_hop` about three minutes, five of `hello` ten.

set -euo pipefail

usage() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 2
}

rev=
speed=false
rounds=5
while [ $# -gt 0 ]; do
    case $1 in
    --speed) speed=true ;;
    --rounds)
        [ $# -ge 2 ] || usage
        rounds=$2
        shift
        ;;
    -*) usage ;;
    *)
        [ -z "$rev" ] || usage
        rev=$1
        ;;
    esac
    shift
done
[ -n "$rev" ] && [[ $rounds =~ ^[1-9][0-9]*$ ]] || usage

if ! command -v jq >/dev/null; then
    echo "error: jq is missing (apt-get install jq)" >&2
    exit 2
fi

new=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
rev=$(git -C "$new" rev-parse --verify --quiet "$rev^{commit}") || {
    echo "error: REV is no commit of $new" >&2
    exit 2
}
temporary=$(mktemp -d)
old=$temporary/old
results=$temporary/results
mkdir "$results"

clean_up() {
    git -C "$new" worktree remove --force "$old" 2>/dev/null || true
    rm -rf "$temporary"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

git -C "$new" worktree add --quiet --detach "$old" "$rev"

# The target folder of this checkout; that of REV is below its worktree.
new_target=${CARGO_TARGET_DIR:-$new/target}
old_target=$old/target

# build TREE TARGET: builds `seda` in release.
build() {
    echo "building $1" >&2
    (cd "$1" && cargo build --quiet --release --locked --target-dir "$2" -p seda-tools --bin seda)
}

# lab_specs TREE: prints the lab specs, relative to the tree.
lab_specs() {
    (cd "$1" && find examples/lab -name '*.toml' | sort)
}

# figures FILE: prints a result without the prose of its journal.
figures() {
    jq 'walk(if type == "object" and has("controller") then del(.seen, .action) else . end)' "$1"
}

# locate TREE TARGET BENCH: builds a benchmark and prints the path of its executable.
locate() {
    (cd "$1" && cargo bench --quiet --locked --target-dir "$2" -p benches --bench "$3" --no-run \
        --message-format json) |
        jq -r --arg bench "$3" \
            'select(.target.name? == $bench and .executable != null) | .executable'
}

# Results: every spec of REV through both binaries.

build "$old" "$old_target"
build "$new" "$new_target"

compared=0
differing=()
while IFS= read -r spec; do
    # Both run in the same folder, so that relative paths in a spec mean the same.
    for side in old new; do
        target=${side}_target
        (cd "$old" && "${!target}/release/seda" sim "$spec" --json "$results/$side.json") \
            >"$results/$side.txt" 2>&1 || {
            echo "error: the $side binary failed on $spec:" >&2
            cat "$results/$side.txt" >&2
            exit 1
        }
    done
    compared=$((compared + 1))
    cmp -s <(figures "$results/old.json") <(figures "$results/new.json") || differing+=("$spec")
done < <(lab_specs "$old")

if [ "$compared" -eq 0 ]; then
    echo "error: REV has no spec below examples/lab" >&2
    exit 1
fi
if [ ${#differing[@]} -gt 0 ]; then
    echo "${#differing[@]} of $compared specs have other results than ${rev:0:10}:"
    printf '  %s\n' "${differing[@]}"
    exit 1
fi
echo "all $compared lab specs have the same figures as ${rev:0:10}"
added=$(comm -13 <(lab_specs "$old") <(lab_specs "$new"))
[ -z "$added" ] || printf 'not compared, because %s lacks them:\n%s\n' "${rev:0:10}" "$added"

$speed || exit 0

# Speed: old and new in turn.

# medians FILE: prints "name<TAB>median" of each figure: a line that ends in min, median, max.
# The name begins with the last heading, because two sections may have the same cases.
medians() {
    awk '
        function number(text) { return text ~ /^-?[0-9]+(\.[0-9]+)?$/ }
        NF >= 4 && number($NF) && number($(NF - 1)) && number($(NF - 2)) {
            median = $(NF - 1)
            sub(/[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]*$/, "")
            sub(/^[ \t]+/, "")
            print (heading == "" ? "" : heading ": ") $0 "\t" median
            next
        }
        /\(min, median, max\)/ { heading = $0; sub(/ *\(min, median, max\)/, "", heading) }
    ' "$1"
}

# ratios BENCH: prints median and range of new / old for each figure, matched by their order.
ratios() {
    for round in $(seq "$rounds"); do
        paste <(medians "$results/$1.old.$round") <(medians "$results/$1.new.$round") |
            awk -F '\t' '$2 != 0 { printf "%d\t%s\t%.6f\n", NR, $3, $4 / $2 }'
    done | sort -t "$(printf '\t')" -k1,1n -k3,3g | awk -F '\t' '
        function show() {
            if (n) printf "  %-52s %.3f (%.3f to %.3f)\n", name, ratio[int((n + 1) / 2)], ratio[1], ratio[n]
        }
        $1 != last { show(); n = 0; last = $1 }
        { name = $2; ratio[++n] = $3 }
        END { show() }
    '
}

# compare BENCH: runs both executables in turn and prints the ratios.
compare() {
    local bench=$1 round side order old_bench new_bench executable
    old_bench=$(locate "$old" "$old_target" "$bench")
    new_bench=$(locate "$new" "$new_target" "$bench")
    for round in $(seq "$rounds"); do
        order="old new"
        [ $((round % 2)) -eq 1 ] || order="new old"
        for side in $order; do
            echo "$bench, round $round of $rounds: $side" >&2
            executable=${side}_bench
            "${!executable}" >"$results/$bench.$side.$round"
        done
    done
    echo "$bench: new / old, median (range) of $rounds rounds"
    ratios "$bench"
}

compare stage_hop
if command -v wrk >/dev/null && command -v curl >/dev/null; then
    compare hello
else
    echo "hello: skipped, because wrk or curl is not installed (apt-get install wrk curl)"
fi
