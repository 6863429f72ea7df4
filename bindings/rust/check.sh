#!/usr/bin/env bash
# Checks the Rust bindings: style, lints, bindings.rs against the header, tests, examples, the page, packages.
# usage: check.sh [PREFIX [RESULTS]]: PREFIX is an installed libmarlin (built here for the CPU otherwise), RESULTS a
# folder for the outputs of cargo test. Everything is built in build/rust. Registry packages are all that is downloaded.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/rust
prefix=${1:-}
results=${2:-$build/results}
mkdir -p "$build" "$results"
results=$(cd "$results" && pwd)
rm -f "$results"/cargo-*.txt

failed=()
step() {
    local name=$1 start=$SECONDS
    shift
    printf '\n-- rust: %s\n' "$name"
    "$@" || failed+=("$name")
    printf -- '-- rust: %s took %d s\n' "$name" $((SECONDS - start))
}
skip() { printf '\n-- rust: skipped: %s\n' "$*"; }

if [ -z "$prefix" ]; then
    prefix=$build/prefix
    (cd "$root" && cmake --preset cpu -B "$build/cpu" -DMARLIN_TESTS=OFF --log-level=NOTICE &&
        cmake --build "$build/cpu" && cmake --install "$build/cpu" --prefix "$prefix" >/dev/null) || exit 1
fi
libdir=$(cd "$prefix" && dirname "$(find "$PWD" -name libmarlin.so -print -quit)")
[ -e "$libdir/libmarlin.so" ] || { echo "$prefix has no libmarlin.so" >&2; exit 1; }
command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.77 or newer" >&2; exit 1; }

cd "$here"
export CARGO_TARGET_DIR=$build/target CARGO_TERM_COLOR=never
export MARLIN_LIB_DIR=$libdir LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export RUSTFLAGS="-D warnings" RUSTDOCFLAGS="-D warnings"
cargo fetch --quiet --locked || exit 1
export CARGO_NET_OFFLINE=true

# tested NAME ARGUMENT...: cargo test, whose output is counted.
tested() {
    local name=$1
    shift
    cargo test --quiet --locked "$@" 2>&1 | tee "$results/cargo-$name.txt"
}

lint() {
    cargo clippy --quiet --locked --workspace --all-targets &&
        cargo clippy --quiet --locked --package libmarlin --features dlopen --all-targets
}

# Whether bindings.rs is what bindgen makes of the header that was installed.
bindings() {
    cargo run --quiet --locked --package libmarlin-bindgen -- check "$prefix/include/marlin/marlin.h" \
        libmarlin-sys/src/bindings.rs || {
        echo "make it again: cargo run -p libmarlin-bindgen -- write ../../capi/include/marlin/marlin.h" \
            "libmarlin-sys/src/bindings.rs" >&2
        return 1
    }
}

examples() {
    cargo run --quiet --locked --package libmarlin --example device cpu &&
        cargo run --quiet --locked --package libmarlin --example gptq
}

# As a documentation service builds: DOCS_RS is set and there is no library.
documentation() {
    env -u MARLIN_LIB_DIR -u LD_LIBRARY_PATH DOCS_RS=1 MARLIN_NO_PKG_CONFIG=1 CARGO_TARGET_DIR="$build/documentation" \
        cargo doc --quiet --locked --no-deps --package libmarlin-sys --package libmarlin --package libmarlin-cudarc
}

# The library as pkg-config finds it.
pkg_config() {
    env -u MARLIN_LIB_DIR PKG_CONFIG_PATH="$libdir/pkgconfig" CARGO_TARGET_DIR="$build/pkg-config" \
        cargo run --quiet --locked --package libmarlin --example device cpu
}

# Both packages as they would be published, built from their archives; libmarlin's takes libmarlin-sys from the other.
packages() {
    cargo package --quiet --locked --allow-dirty --package libmarlin-sys --package libmarlin 2>&1 |
        grep -v 'is not included in the published package'
    return "${PIPESTATUS[0]}"
}

# Somebody who depends on the published packages and has no library: built from the sources in libmarlin-sys.
vendored() {
    local version packages=$build/target/package
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
    env -u MARLIN_LIB_DIR -u LD_LIBRARY_PATH MARLIN_NO_PKG_CONFIG=1 CARGO_TARGET_DIR="$build/vendored" \
        cargo run --quiet --manifest-path "$packages/libmarlin-$version/Cargo.toml" --features vendored --example gptq \
        --config "patch.crates-io.libmarlin-sys.path='$packages/libmarlin-sys-$version'"
}

# The tests as programs elsewhere: from another folder, by LD_LIBRARY_PATH alone.
carried() {
    ./carry.sh "$build/carried" "$libdir" && (cd / && "$build/carried/run.sh" "$libdir") >"$build/carried.log" 2>&1
    local status=$?
    grep -E '^(==|test result|.*FAILED|.*panicked)' "$build/carried.log"
    return $status
}

if cargo fmt --version >/dev/null 2>&1; then
    step "style" cargo fmt --all --check
else
    skip "style, there is no cargo fmt"
fi
if cargo clippy --version >/dev/null 2>&1; then
    step "lints" lint
else
    skip "lints, there is no cargo clippy"
fi
if [ -n "${LIBCLANG_PATH:-}" ] || compgen -G '/usr/lib/*/libclang*.so*' >/dev/null ||
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null; then
    step "bindings.rs" bindings
else
    skip "bindings.rs against the header, there is no libclang"
fi
ignored=()
if cargo run --quiet --locked --package libmarlin --example device cuda 2>/dev/null; then
    ignored=(-- --include-ignored)
else
    skip "tests of GPUs (they count as ignored), libmarlin finds no CUDA device"
fi
step "tests" tested libmarlin --package libmarlin-sys --package libmarlin --tests "${ignored[@]}"
step "documentation tests" tested doc --package libmarlin-sys --package libmarlin --doc
step "tests with dlopen" tested dlopen --package libmarlin --features dlopen --test dlopen --test multiply
step "tests of the cudarc glue" tested cudarc --package libmarlin-cudarc "${ignored[@]}"
step "page" tested page --package libmarlin-page
step "examples" examples
step "documentation" documentation
step "pkg-config" pkg_config
step "carried tests" carried
step "packages" packages
step "vendored" vendored

if [ ${#failed[@]} -gt 0 ]; then
    printf '\n-- rust: failed: %s\n' "${failed[*]}"
    exit 1
fi
printf '\n-- rust: all passed\n'
