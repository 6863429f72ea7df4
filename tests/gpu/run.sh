#!/usr/bin/env bash
# Builds, tests, checks and measures on a machine with an NVIDIA GPU and no network, in stages that can be resumed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
    cat <<'TEXT'
usage: tests/gpu/run.sh [STAGE]...

  build            configure and build everything in build/gpu
  test             all tests; those that need a GPU must run
  sanitize [TOOL]  compute-sanitizer over the tests that need a GPU (memcheck, initcheck), and over a few problems for
                   every kernel (racecheck, synccheck too); without TOOL all four
  bench [I/N[/P]]  marlin_bench over part I of N of the grid of problems, as process P; 1/1/1 without
  invariant        the same grid once more with MARLIN_MATH_BATCH_INVARIANT
  roofline         marlin_bench over square layers of 4k to 32k by 1 to 65k tokens
  cpu              marlin_bench on the processor of this machine
  merge            what the stages left as one object, results.json: medians over the processes

Without arguments: build test sanitize bench 1/1/1 bench 1/1/2 bench 1/1/3 invariant roofline cpu merge. Each stage
takes less than 8 minutes and leaves one file, STAGE.json in $OUT (build/gpu-out where that is unset). A stage that
succeeded on the same sources is not run again; FORCE=1 does. After build and test the sanitizers may run side by side.
GRID=quick lets bench measure a few problems. The commit is that of the checkout, or MARLIN_COMMIT where that is set.

Needs nvcc 13.0 or newer, CMake 3.29 or newer, ninja and Python 3. Headers that the machine lacks (fmt, CLI11, nlohmann
json, Catch2) are taken from build/_deps/include: `./dev deps` fills it on a machine that has them.
TEXT
}

out=${OUT:-$PWD/build/gpu-out}
build=$PWD/build/gpu
done_dir=$build/done
result=${STAGE_RESULT:-} # file for what a stage has to say beyond its exit status
limit=470                       # seconds a stage may take
grid=${GRID:-full}              # of marlin_bench

# Which sources these are: the commit where there is one, and what is really in the tree.
tree=$(find CMakeLists.txt core capi tests examples/c -type f ! -name '*.pyc' ! -path '*/.*' | LC_ALL=C sort | xargs sha256sum |
    sha256sum | cut -c1-16)
commit=${MARLIN_COMMIT:-$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)}

die() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

stage_build() {
    local nvcc
    nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
    CUDACXX=$nvcc cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMARLIN_CUDA=ON -DMARLIN_WERROR=OFF \
        -DMARLIN_COMMIT="$commit"
    cmake --build "$build" --parallel
}

stage_test() {
    local results=$build/counts/tests status=0 counted
    rm -rf "$build/counts" "$build/test-results"
    mkdir -p "$results" "$build/test-results"
    ctest --test-dir "$build" --parallel 4 --output-on-failure --no-tests=error \
        --output-junit "$results/ctest.xml" || status=$?
    cp "$build"/test-results/*.json "$results/"
    echo "$status" >"$results/exit"
    counted=$(python3 tests/support/count.py "$build/counts") || true
    echo "$counted"
    sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/{"passed": \1, "failed": \2, "skipped": \3}/p' \
        <<<"$counted" >"$result"
    ! grep -q '"skipped": [1-9]' "$results"/*.json || die "tests that need a GPU were skipped: is there a GPU?"
    return "$status"
}

# sanitize TOOL PROGRAM FILTER
sanitize() {
    local sanitizer options=(--tool "$1" --error-exitcode 9) filter=$3
    # What takes all of the GPU's memory would leave none to the sanitizers beside, and what counts the memory that is
    # free would count theirs.
    filter+='~[all_memory]~[free_memory]'
    sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
    [ -x "$sanitizer" ] || die "compute-sanitizer was not found"
    case $1 in
    # Refused calls are what some tests are about; bad memory accesses and leaks are what this looks for.
    memcheck) options+=(--report-api-errors no --leak-check full) ;;
    initcheck) options+=(--report-api-errors no) ;;
    # A warp of Hopper's kernel reads a stage, meets, and one lane tells the copying thread. Racecheck (2025.3) sees
    # neither __syncwarp nor bar.warp.sync there and takes the next copy for a race with the other 31 lanes. Left out by
    # --kernel-name-exclude, kernels that use a barrier of a cluster end in an exception, so they are not run at all.
    # Of kernels that wait for another it writes so much down that 128 GB are full; kernels beside each other share no
    # shared memory, which is all that it looks at.
    racecheck) filter+='~[hopper]~[beside]' ;;
    esac
    echo "-- $1 ${2##*/}"
    "$sanitizer" "${options[@]}" "$2" "$filter"
}

stage_sanitize() {
    local program tool filter
    for program in "$build"/tests/marlin_{unit,behaviour,numerics,golden}_tests; do
        [ -x "$program" ] || continue
        filter='[gpu]'
        [ "${program##*/}" != marlin_numerics_tests ] || filter='[gpu][reduced]' # every kernel, few problems
        "$program" --list-tests "$filter" | grep -q '^0 ' && continue # it has none
        for tool in ${1:-memcheck initcheck racecheck synccheck}; do
            case $tool in
            memcheck | initcheck) ;;
            *) [ "$filter" = '[gpu][reduced]' ] || continue ;;
            esac
            sanitize "$tool" "$program" "$filter"
        done
    done
}

# cuBLAS is opened by name: it may lie beside the compiler, or in a Python environment.
find_cublas() {
    local folder
    for folder in /usr/local/cuda/lib64 "$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"/nvidia/*/lib; do
        [ ! -e "$folder/libcublas.so.13" ] || LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    done
    export LD_LIBRARY_PATH
}

# measure_grid GRID I/N [OPTION]...
measure_grid() {
    find_cublas
    "$build/tests/marlin_bench" --device cuda --grid "$1" --part "$2" --strict --json "$result" "${@:3}"
}
stage_bench() { measure_grid "$grid" "${1%/*}"; }
stage_roofline() { measure_grid roofline 1/1; }
stage_invariant() { measure_grid "$grid" 1/1 --batch-invariant --no-cublas; }
stage_cpu() { "$build/tests/marlin_bench" --device cpu --json "$result"; }

stage_merge() { python3 tests/gpu/merge.py "$out" "$commit" >"$out/results.json"; }

# run_stage NAME [ARGUMENT]: with its time limit; outcome and result go to STAGE.json.
run_stage() {
    local name=$1 label=$1 start=$SECONDS status=0
    if [ "$name" = bench ]; then
        label=$(sed -E "s,(.*)/(.*)/(.*),bench-$grid-\1-of-\2-process-\3," <<<"$2")
    elif [ $# = 2 ]; then
        label=$1-$2
    fi
    if [ -f "$done_dir/$label-$tree.json" ] && [ "${FORCE:-0}" = 0 ] && [ "$name" != merge ]; then
        echo "== $label: done before on these sources"
        cp "$done_dir/$label-$tree.json" "$out/$label.json"
        return
    fi
    echo "== $label"
    mkdir -p "$done_dir"
    result=$build/$label-result.json
    export STAGE_RESULT=$result
    echo null >"$result"
    # A process of its own, so that the limit holds for all that it starts and `set -e` holds inside it.
    timeout --kill-after=5 $limit "$0" --inside "stage_$name" "${@:2}" || status=$?
    [ "$name" != merge ] || return $status
    {
        printf '{"stage": "%s", "commit": "%s", "tree": "%s", "status": %d, "seconds": %d,\n"result": ' \
            "$label" "$commit" "$tree" $status $((SECONDS - start))
        cat "$result"
        echo '}'
    } >"$out/$label.json"
    [ $status = 0 ] || die "$label ended with status $status after $((SECONDS - start)) s (124: it ran past $limit s)"
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
[ $# -gt 0 ] || set -- build test sanitize bench 1/1/1 bench 1/1/2 bench 1/1/3 invariant roofline cpu merge
while [ $# -gt 0 ]; do
    case $1 in
    build | test | invariant | roofline | cpu | merge) run_stage "$1" ;;
    sanitize)
        if [[ ${2:-} =~ ^(memcheck|initcheck|racecheck|synccheck)$ ]]; then
            run_stage sanitize "$2"
            shift
        else
            run_stage sanitize
        fi
        ;;
    bench)
        part=1/1/1
        if [[ ${2:-} =~ ^[0-9]+/[0-9]+(/[0-9]+)?$ ]]; then
            part=$2
            [[ $part =~ /.*/ ]] || part+=/1
            shift
        fi
        run_stage bench "$part"
        ;;
    *) usage >&2; die "unknown stage '$1'" ;;
    esac
    shift
done
