#!/usr/bin/env bash
# Installs the library, moves the tree elsewhere, and builds and runs programs against it: CMake package, pkg-config.
set -euo pipefail
source=$1 build=$2 cmake=$3
work=$(mktemp -d "$build/install-test.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/first" >"$work/log" || { cat "$work/log"; exit 1; }
mv "$work/first" "$work/prefix" # nothing in the tree may hold on to where it was installed
prefix=$work/prefix
libdir=$(dirname "$(find "$prefix" -name libmarlin.so)")
for file in "$prefix"/include/marlin/marlin.h \
    "$libdir"/{libmarlin.so.0,cmake/marlin/marlin-config.cmake,pkgconfig/marlin.pc}; do
    [ -f "$file" ] || { echo "install.sh: $file was not installed" >&2; exit 1; }
done

configure_and_build() {
    if ! { "$cmake" -S "$1" -B "$2" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" && "$cmake" --build "$2"; } >"$work/log" 2>&1; then
        cat "$work/log"
        exit 1
    fi
}
configure_and_build "$source/tests/consumer" "$work/consumer"
"$work/consumer/version_c_marlin"
"$work/consumer/multiply_cpp_marlin"
configure_and_build "$source/examples/c" "$work/quickstart"
"$work/quickstart/quickstart"

if ! command -v pkg-config >/dev/null; then
    echo "pkg-config is not installed here: what uses it was not run"
    exit 0
fi
export PKG_CONFIG_PATH=$libdir/pkgconfig
version=$(sed -n 's/^project(marlin VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")
if [ "$(pkg-config --modversion marlin)" != "$version" ]; then
    echo "install.sh: marlin.pc is of version $(pkg-config --modversion marlin), expected $version" >&2
    exit 1
fi
read -ra flags <<<"$(pkg-config --cflags --libs marlin)"
cc -std=c11 "$source/examples/c/quickstart.c" "${flags[@]}" -lm -o "$work/with_pkg_config"
LD_LIBRARY_PATH=$libdir "$work/with_pkg_config"
