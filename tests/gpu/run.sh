#!/usr/bin/env bash
# Builds, tests, checks and measures on a machine with an NVIDIA GPU and no network, in stages that can be resumed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
    cat <<'TEXT'
usage: tests/gpu/run.sh [STAGE]...

  build        configure and build everything in build/gpu
  test         all tests; those that need a GPU must run
  sanitize     compute-sanitizer: memcheck and initcheck over the tests that need a GPU, racecheck and synccheck too over
               a few problems for every kernel
  bench [I/N]  marlin_bench over part I of N of tests/gpu/problems.txt (1/1: all of it)
  merge        the stages' JSON as one file, results.json

Without arguments: build test sanitize bench 1/1 merge. Each stage takes less than 8 minutes and leaves STAGE.json in
$OUT (build/gpu-out where that is unset). A stage that succeeded on the same sources is not run again; FORCE=1 does.

Needs nvcc 13.0 or newer, CMake 3.29 or newer, ninja and Python 3. Headers that the machine lacks (fmt, CLI11, nlohmann
json, Catch2) are taken from build/_deps/include: `./dev deps` fills it on a machine that has them.
TEXT
}

out=${OUT:-$PWD/build/gpu-out}
build=$PWD/build/gpu
done_dir=$build/done
limit=470 # seconds a stage may take

# Which sources these are: the commit where there is one, and what is really in the tree.
tree=$(find CMakeLists.txt core capi tests examples/c -type f ! -name '*.pyc' | LC_ALL=C sort | xargs sha256sum |
    sha256sum | cut -c1-16)
commit=${MARLIN_COMMIT:-$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)}

die() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

stage_build() {
    local nvcc
    nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
    CUDACXX=$nvcc cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMARLIN_CUDA=ON -DMARLIN_WERROR=OFF
    cmake --build "$build" --parallel
}

stage_test() {
    local results=$out/tests status=0
    rm -rf "$results" "$build/test-results"
    mkdir -p "$results" "$build/test-results"
    ctest --test-dir "$build" --parallel 4 --output-on-failure --no-tests=error \
        --output-junit "$results/ctest.xml" || status=$?
    cp "$build"/test-results/*.json "$results/"
    echo "$status" >"$results/exit"
    python3 tests/support/count.py "$out"
    ! grep -q '"skipped": [1-9]' "$results"/*.json || die "tests that need a GPU were skipped: is there a GPU?"
    return "$status"
}

stage_sanitize() {
    local sanitizer program tool tools filter options
    sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
    [ -x "$sanitizer" ] || die "compute-sanitizer was not found"
    for program in "$build"/tests/marlin_{unit,behaviour,numerics,golden}_tests; do
        [ -x "$program" ] || continue
        filter='[gpu]' tools='memcheck initcheck'
        if [ "${program##*/}" = marlin_numerics_tests ]; then # every kernel, few problems
            filter='[gpu][reduced]' tools='memcheck initcheck racecheck synccheck'
        fi
        "$program" --list-tests "$filter" | grep -q '^0 ' && continue # it has none
        for tool in $tools; do
            echo "-- $tool ${program##*/}"
            # Refused calls are what some tests are about; bad memory accesses and leaks are what this looks for.
            options=(--tool "$tool" --report-api-errors no --error-exitcode 9)
            [ $tool != memcheck ] || options+=(--leak-check full)
            [ $tool = memcheck ] || [ $tool = initcheck ] || options=(--tool "$tool" --error-exitcode 9)
            "$sanitizer" "${options[@]}" "$program" "$filter"
        done
    done
}

stage_bench() {
    local part=${1%/*} parts=${1#*/} list
    mkdir -p "$out/bench"
    list=$out/bench/$part-of-$parts.txt
    grep -v '^#' tests/gpu/problems.txt | awk -v i="$part" -v n="$parts" 'NR % n == i % n' >"$list"
    [ -s "$list" ] || die "part $1 of tests/gpu/problems.txt is empty"
    "$build/tests/marlin_bench" --json "${list%.txt}.json" "@$list"
}

stage_merge() { python3 tests/gpu/merge.py "$out" "$commit" >"$out/results.json"; }

# run_stage NAME [ARGUMENT]: with its time limit, and its outcome in NAME.json.
run_stage() {
    local name=$1 label=$1 start=$SECONDS status=0
    [ $# = 1 ] || label=$1-${2/\//-of-}
    if [ -f "$done_dir/$label-$tree.json" ] && [ "${FORCE:-0}" = 0 ] && [ "$name" != merge ]; then
        echo "== $label: done before on these sources"
        cp "$done_dir/$label-$tree.json" "$out/$label.json"
        return
    fi
    echo "== $label"
    # A process of its own, so that the limit holds for all that it starts and `set -e` holds inside it.
    timeout --kill-after=5 $limit "$0" --inside "stage_$name" "${@:2}" || status=$?
    [ "$name" != merge ] || return $status
    printf '{"stage": "%s", "commit": "%s", "tree": "%s", "status": %d, "seconds": %d}\n' \
        "$label" "$commit" "$tree" $status $((SECONDS - start)) >"$out/$label.json"
    [ $status = 0 ] || die "$label ended with status $status after $((SECONDS - start)) s (124: it ran past $limit s)"
    mkdir -p "$done_dir"
    cp "$out/$label.json" "$done_dir/$label-$tree.json"
}

mkdir -p "$out"
case "${1:-}" in
--inside)
    "${@:2}"
    exit
    ;;
-h | --help | help)
    usage
    exit
    ;;
esac
[ $# -gt 0 ] || set -- build test sanitize bench 1/1 merge
while [ $# -gt 0 ]; do
    case $1 in
    build | test | sanitize | merge) run_stage "$1" ;;
    bench)
        part=1/1
        if [[ ${2:-} =~ ^[0-9]+/[0-9]+$ ]]; then
            part=$2
            shift
        fi
        run_stage bench "$part"
        ;;
    *) usage >&2; die "unknown stage '$1'" ;;
    esac
    shift
done
