#!/usr/bin/env bash
# Checks the Go binding on an installed library: format, vet, tests, race detector, cgo's checks, documentation.
#
# usage: bindings/go/check.sh [PREFIX [RESULTS]]
#   PREFIX   where libmarlin is installed; without it the library is built for the CPU in build/go
#   RESULTS  folder for the results of the tests, go-*.json (build/go/results)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/go
failed=()

say() { printf '\n-- go: %s\n' "$*"; }
# step NAME COMMAND...: goes on after a failure, which the exit status of the script tells. Not to be called from a
# condition: bash would ignore `set -e` in all that the step runs.
step() {
    local name=$1 start=$SECONDS status
    shift
    say "$name"
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    [ $status = 0 ] || failed+=("$name")
    echo "   (exit status $status after $((SECONDS - start)) s)"
}

build_library() {
    cmake -S "$root" -B "$work/library" -G Ninja -DMARLIN_CUDA=OFF -DMARLIN_TESTS=OFF --log-level=NOTICE
    cmake --build "$work/library" --target marlin
    cmake --install "$work/library" --prefix "$work/prefix" >/dev/null
}

format() {
    local files
    files=$(gofmt -l .)
    printf '%s' "${files:+not formatted by gofmt: $files}"
    test -z "$files"
}

# tests NAME ARGUMENT...: results as JSON lines. All that was said is shown after a failure, otherwise what was skipped.
tests() {
    local results=$results/go-$1.json status=0
    shift
    go test -count=1 -timeout 3m -json "$@" ./... >"$results" || status=$?
    sed -n 's/\\t/ /g; s/.*"Output":"\(.*\)\\n"}$/\1/p' "$results" | if [ $status = 0 ]; then
        grep -E '^(ok|--- SKIP)|ns/op|no CUDA device' || true
    else
        grep -vE '^ *(=== |--- PASS)' || true
    fi
    return $status
}

# One program of all tests, as it is carried to a machine without Go: it finds the library by LD_LIBRARY_PATH alone.
carried() {
    go test -c -o "$work/marlin.test" .
    "$work/marlin.test" -test.run 'TestVersions|TestMultiplyEveryType'
    readelf -d "$work/marlin.test" | grep -F 'NEEDED' | grep -F 'libmarlin.so.'
    ! readelf -d "$work/marlin.test" | grep -E 'RPATH|RUNPATH'
}

# The toolchain's strictest look at what cgo passes; the usual one is on in every run.
pointer_checks() {
    if GOEXPERIMENT=cgocheck2 go env GOROOT >/dev/null 2>&1; then
        GOEXPERIMENT=cgocheck2 go test -count=1 -timeout 3m .
    else # before Go 1.21
        GODEBUG=cgocheck=2 go test -count=1 -timeout 3m .
    fi
}

# first_block LANGUAGE: of the page.
first_block() {
    awk -v start="\`\`\`$1" '$0 == start { inside = 1; next } /^```/ && inside { exit } inside' "$root/docs/go.md"
}

# The page's shell commands and program, in a folder of their own, with this checkout and this library.
page() {
    rm -rf "$work/page"
    mkdir -p "$work/page"
    first_block go >"$work/page/main.go"
    first_block sh |
        sed "s|^PREFIX=.*|PREFIX=$prefix SOURCE=$root|" >"$work/page/install.sh"
    grep -q "SOURCE=$root" "$work/page/install.sh"
    test -z "$(gofmt -l "$work/page/main.go")"
    local printed
    printed=$(cd "$work/page" && bash -euc '. ./install.sh && go run .')
    echo "$printed"
    [ "$printed" = 3.5 ]
}

mkdir -p "$work"
if ! command -v go >/dev/null; then
    echo "check.sh: go is missing, expected 1.19 or newer (Debian: golang-go)" >&2
    exit 1
fi
if [ $# -ge 1 ]; then
    prefix=$(cd "$1" && pwd)
else
    say "no PREFIX: building the library for the CPU in build/go"
    build_library
    prefix=$work/prefix
fi
results=${2:-$work/results}
mkdir -p "$results"
results=$(cd "$results" && pwd)

pkgconfig=$(dirname "$(find "$prefix" -path '*/pkgconfig/marlin.pc' | head -n 1)")
if [ "$pkgconfig" = . ]; then
    echo "check.sh: $prefix has no pkgconfig/marlin.pc, expected an installed libmarlin" >&2
    exit 1
fi
export PKG_CONFIG_PATH=$pkgconfig LD_LIBRARY_PATH=${pkgconfig%/pkgconfig}
# The caches of Go know neither the library nor its header; a new header makes new flags.
header=$(cksum <"$prefix/include/marlin/marlin.h" | cut -d' ' -f1)
export CGO_CFLAGS="-O2 -g -DGO_MARLIN_HEADER=$header"
export GOCACHE=${GOCACHE:-$work/cache} GOFLAGS=-buildvcs=false GOPROXY=off GOTOOLCHAIN=local GOWORK=off
cd "$here"

go version
step format format
step vet go vet ./...
step tests tests test -bench . -benchtime 1000x
step "race detector" tests race -race
step "cgo's pointer checks" pointer_checks
step "carried tests" carried
step "documentation" page

if [ ${#failed[@]} -gt 0 ]; then
    say "failed: ${failed[*]}"
    exit 1
fi
say "all passed"
