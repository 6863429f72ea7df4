#!/usr/bin/env bash
# Checks what C and C++ programs get: marlin.hpp, the pages docs/c.md and docs/cpp.md with all their snippets, examples,
# and the packages (tarball, Debian, static library, add_subdirectory), each with programs built against it.
#
# usage: tests/packages/check.sh [PREFIX [RESULTS]]
#   PREFIX   where libmarlin is installed; without it the one that docs/c.md installs is taken
#   RESULTS  folder for the results, *.xml (build/packages/results)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/packages
home=$work/home # what docs/c.md calls ~
prefix=$(realpath -m "${1:-$home/.local}")
results=$(realpath -m "${2:-$work/results}")
include=$root/capi/include
cd "$root"
# Where things are found is for each step to say.
unset PKG_CONFIG_PATH LD_LIBRARY_PATH CMAKE_PREFIX_PATH
if command -v ccache >/dev/null; then
    CCACHE_DIR=$(ccache --get-config cache_dir) # ~ is another below
    export CCACHE_DIR CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
export CMAKE_GENERATOR=Ninja CMAKE_BUILD_TYPE=Release

failed=0
# step NAME COMMAND...: goes on after a failure, which the exit status of the script tells; what a step says is shown
# where it failed. Exit status 77: skipped, the last line says why. Not to be called from a condition: bash would ignore
# `set -e` in all that the step runs.
step() {
    local name=$1 start=$SECONDS status
    shift
    set +e
    (
        set -e
        "$@"
    ) >"$work/log" 2>&1
    status=$?
    set -e
    case $status in
    0) echo "-- packages: $name ($((SECONDS - start)) s)" ;;
    77) echo "-- packages: $name: skipped, $(tail -1 "$work/log")" ;;
    *)
        failed=1
        echo "-- packages: $name: FAILED"
        cat "$work/log"
        ;;
    esac
    python3 "$here/junit.py" add "$results/packages.xml" "$name" $status $((SECONDS - start)) "$work/log"
}
skip() { echo "$*"; exit 77; }
need() { command -v "$1" >/dev/null || skip "$1 is not installed here"; }

# ---- Sources -------------------------------------------------------------------------------------------------------

own_sources() { git ls-files -co --exclude-standard -- "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done; }

format() {
    need clang-format
    own_sources '*.hpp' capi/include tests/consumer tests/packages examples/c examples/cpp |
        grep -E '\.(h|hpp|c|cpp)$' | sort -u | xargs clang-format --dry-run -Werror
}

# Every enumerator of marlin.h has its name in marlin.hpp.
names() {
    local name missing=0
    for name in $(grep -oP '^ +\KMARLIN_\w+(?= = )' "$include/marlin/marlin.h" | grep -vE 'FORCE_32|MARLIN_PACK_'); do
        grep -qE "= $name\b" "$include/marlin/hpp/names.hpp" || { echo "$name is not in hpp/names.hpp"; missing=1; }
    done
    return $missing
}

lint() {
    need clang-tidy
    clang-tidy --quiet --header-filter='marlin/.*\.hpp$' tests/consumer/multiply.cpp -- -std=c++17 "-I$include"
}

standards() {
    local compiler standard
    for compiler in g++ clang++; do
        command -v "$compiler" >/dev/null || { echo "$compiler is not installed here: left out"; continue; }
        for standard in c++17 c++20 c++2b; do
            "$compiler" -std=$standard -fsyntax-only "-I$include" -pedantic-errors -Wall -Wextra -Wshadow \
                -Wconversion -Wsign-conversion -Wold-style-cast -Werror examples/cpp/packed_file.cpp
        done
    done
}

# ---- Programs ------------------------------------------------------------------------------------------------------

# project SOURCE NAME PREFIX [ARGUMENT]...: configures and builds, from the beginning, in build/packages/NAME.
project() {
    local source=$1 folder=$work/$2 prefix=$3
    shift 3
    rm -rf "$folder"
    cmake -S "$source" -B "$folder" ${prefix:+"-DCMAKE_PREFIX_PATH=$prefix"} "$@"
    cmake --build "$folder"
}

# The same with pkg-config, C and C++; what a prefix has besides decides whether libmarlin.a is linked too.
with_pkg_config() {
    need pkg-config
    local prefix=$1 folder=$2 libdir flags
    libdir=$(dirname "$(find "$prefix" -name libmarlin.so)")
    mkdir -p "$folder"
    export PKG_CONFIG_PATH=$libdir/pkgconfig
    read -ra flags <<<"$(pkg-config --cflags --libs marlin)"
    cc -std=c11 tests/consumer/version.c "${flags[@]}" -o "$folder/version"
    c++ -std=c++17 tests/consumer/multiply.cpp "${flags[@]}" -o "$folder/multiply"
    LD_LIBRARY_PATH=$libdir "$folder/version"
    LD_LIBRARY_PATH=$libdir "$folder/multiply"
    [ -f "$libdir/libmarlin.a" ] || return 0
    read -ra flags <<<"$(pkg-config --static --cflags --libs marlin)"
    cc -std=c11 tests/consumer/version.c -static "${flags[@]}" -o "$folder/version_static"
    "$folder/version_static"
    c++ -std=c++17 tests/consumer/multiply.cpp -static "${flags[@]}" -o "$folder/multiply_static"
    "$folder/multiply_static"
}

# consumers PREFIX NAME: programs built against an installed tree in every way.
consumers() {
    project tests/consumer "$2" "$1"
    local program ran=0
    for program in "$work/$2"/{version_c,multiply_cpp}_{marlin,static}; do
        [ -x "$program" ] || continue
        "$program"
        ran=$((ran + 1))
    done
    [ $ran -ge 2 ] || { echo "$ran programs were built, expected at least 2"; return 1; }
    with_pkg_config "$1" "$work/$2/pkg_config"
    [ -n "$(find "$1" -name libmarlin.a)" ] || return 0
    [ $ran = 4 ] || { echo "$ran programs were built, expected 4"; return 1; }
    project tests/consumer/c_only "$2-c-only" "$1"
    "$work/$2-c-only/version"
}

hpp_tests() {
    mkdir -p "$work/hpp"
    cmake -S tests/packages/cpp -B "$work/hpp" "-DCMAKE_PREFIX_PATH=$prefix" "-Dmarlin_DIR="
    cmake --build "$work/hpp"
    "$work/hpp/hpp_tests" -r junit -o "$results/cpp.xml" || { "$work/hpp/hpp_tests"; return 1; }
}

without_exceptions() {
    local status=0 expected
    expected="libmarlin: MARLIN_INVALID_ARGUMENT: MARLIN_OPTION_MATH is 99, expected 0 to 1"
    "$work/hpp/without_exceptions" >"$work/hpp/out" 2>"$work/hpp/err" || status=$?
    cat "$work/hpp/out" "$work/hpp/err"
    [ $status = 134 ] && [ "$(cat "$work/hpp/out")" = "c[0] is 448" ] && [ "$(cat "$work/hpp/err")" = "$expected" ]
}

examples() {
    project examples/c example-c "$prefix"
    "$work/example-c/quickstart"
    project examples/cpp example-cpp "$prefix" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror"
    "$work/example-cpp/packed_file" "$work/example-cpp/layer.marlin"
}

# ---- Pages ---------------------------------------------------------------------------------------------------------

# snippets LANGUAGE: of docs/LANGUAGE.md, into build/packages/docs/LANGUAGE.
snippets() {
    rm -rf "$work/docs/$1"
    python3 "$here/snippets.py" "docs/$1.md" "$here/docs/prelude.$1.in" "$work/docs/$1"
}

# page LANGUAGE COMPILER STANDARD: builds and runs what is on it but the scripts that install and package.
page() {
    local folder=$work/docs/$1 flags
    (cd "$folder" && HOME=$home bash program.sh)
    project "$folder" "docs-$1" "$home/.local"
    "$work/docs-$1/program"
    read -ra flags <<<"$(PKG_CONFIG_PATH=$home/.local/lib/pkgconfig pkg-config --cflags --libs marlin)"
    "$2" "-std=$3" -Wall -Wextra "$folder/fragments.$1" "${flags[@]}" -o "$folder/fragments"
    (cd "$folder" && LD_LIBRARY_PATH=$home/.local/lib ./fragments)
}

# What the page says that programs print.
page_words() {
    page "$@" | tee "$work/docs/words"
    grep -q 'desc.lda is 100, expected 0 or >= k = 128' "$work/docs/words"
    ! grep 'MARLIN_' "$work/docs/words" | grep -vE 'MARLIN_SUCCESS|MARLIN_INVALID_ARGUMENT: desc.lda'
}

cuda_snippets() {
    local headers language
    headers=$(for folder in "${CUDA_HOME:-/usr/local/cuda}"/include build/venv/lib/python3*/site-packages/nvidia/cu13/include; do
        [ ! -f "$folder/cuda_runtime.h" ] || echo "$folder"
    done | head -1)
    [ -n "$headers" ] || skip "CUDA's headers are not here"
    cc -std=c11 -fsyntax-only "-I$include" -isystem "$headers" "$work/docs/c/cuda.c"
    c++ -std=c++17 -fsyntax-only "-I$include" -isystem "$headers" "$work/docs/cpp/cuda.cpp"
}

# ---- Packages ------------------------------------------------------------------------------------------------------

install_as_documented() {
    rm -rf "$home"
    HOME=$home bash "$work/docs/c/1.sh"
}
package_as_documented() {
    rm -f "$work"/{library,debian}/libmarlin*
    HOME=$home bash "$work/docs/c/2.sh"
}

static_symbols() {
    local library=$home/.local/lib/libmarlin.a declared offered
    declared=$(grep -oP '^MARLIN_API .*?\K\bmarlin_\w+(?=\()' "$include/marlin/marlin.h" | sort)
    offered=$(nm -g --defined-only "$library" 2>/dev/null | awk 'NF == 3 {print $3}' | sort)
    diff <(echo "$declared") <(echo "$offered") || { echo "declared (<) and offered (>) differ"; return 1; }
}

tarball() {
    local archive
    archive=$(echo "$work"/library/libmarlin-*-linux-x86_64.tar.gz)
    (cd "$work/library" && sha256sum -c "$(basename "$archive").sha256")
    rm -rf "$work/tarball"
    mkdir -p "$work/tarball"
    tar -xzf "$archive" -C "$work/tarball" --strip-components=1
    ! grep -rIl "$root" "$work/tarball" || { echo "these name where they were built"; return 1; }
    consumers "$work/tarball" tarball-consumers
}

debian() {
    need dpkg-deb
    local packages=("$work"/debian/libmarlin0_*.deb "$work"/debian/libmarlin-dev_*.deb) package
    rm -rf "$work/root"
    for package in "${packages[@]}"; do
        dpkg-deb -f "$package" Package Version Depends
        dpkg-deb -x "$package" "$work/root"
    done
    dpkg-deb -f "${packages[0]}" Depends | grep -q 'libstdc++6' || { echo "expected libstdc++6"; return 1; }
    local version
    version=$(dpkg-deb -f "${packages[0]}" Version)
    [ "$(dpkg-deb -f "${packages[1]}" Depends)" = "libmarlin0 (= $version)" ]
    dpkg-deb --info "${packages[0]}" shlibs
    dpkg-deb --info "${packages[0]}" triggers | grep -q ldconfig
    ! grep -rIl "$root" "$work/root" || { echo "these name where they were built"; return 1; }
    consumers "$work/root/usr" debian-consumers
}

# Whether apt would install them here, dependencies and all.
debian_installable() {
    need apt-get
    apt-get --simulate --no-install-recommends install "$work"/debian/libmarlin0_*.deb "$work"/debian/libmarlin-dev_*.deb
}

debian_lintian() {
    need lintian
    # initial-upload-closes-no-bugs: these were never in Debian. maintscript-calls-ldconfig: CPack writes them.
    lintian --allow-root --fail-on error,warning \
        --suppress-tags initial-upload-closes-no-bugs,maintscript-calls-ldconfig "$work"/debian/*.deb
}

# The sources in the tree of another project, which wants libmarlin.a inside its programs and nothing else installed.
subdirectory() {
    project tests/consumer/subdirectory subdirectory "" "-DMARLIN_SOURCE=$root" -DBUILD_SHARED_LIBS=OFF -DMARLIN_WERROR=ON
    "$work/subdirectory/version_c"
    "$work/subdirectory/multiply_cpp"
    ! readelf -d "$work/subdirectory/version_c" | grep libmarlin
    rm -rf "$work/subdirectory-prefix"
    cmake --install "$work/subdirectory" --prefix "$work/subdirectory-prefix"
    [ "$(cd "$work/subdirectory-prefix" && find . -type f)" = ./bin/version_c ]
}

# ---- All of it -----------------------------------------------------------------------------------------------------

mkdir -p "$work" "$results"
rm -f "$results"/{packages,cpp}.xml
step "format" format
step "names of enumerators" names
step "standards of C++" standards
step "lint" lint
step "snippets of docs/c.md" snippets c
step "snippets of docs/cpp.md" snippets cpp
step "install as documented" install_as_documented
[ -f "$prefix/include/marlin/marlin.hpp" ] ||
    { echo "check.sh: PREFIX is $prefix, expected the prefix of an installed libmarlin" >&2; exit 1; }
step "page docs/c.md" page_words c cc c11
step "page docs/cpp.md" page_words cpp c++ c++17
step "CUDA snippets" cuda_snippets
step "tests of marlin.hpp" hpp_tests
step "without exceptions" without_exceptions
step "examples" examples
step "consumers of the library given" consumers "$prefix" consumers
step "symbols of libmarlin.a" static_symbols
step "package as documented" package_as_documented
step "tarball" tarball
step "Debian packages" debian
step "Debian packages for apt" debian_installable
step "lintian" debian_lintian
step "add_subdirectory" subdirectory
exit $failed
