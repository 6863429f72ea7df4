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
for file in include/marlin/marlin.h "${libdir#"$prefix"/}"/{libmarlin.so.0,cmake/marlin/marlin-config.cmake,pkgconfig/marlin.pc}; do
    [ -f "$prefix/$file" ] || { echo "install.sh: $file was not installed" >&2; exit 1; }
done

configure_and_build() {
    "$cmake" -S "$1" -B "$2" -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1 &&
        "$cmake" --build "$2" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}
configure_and_build "$source/tests/consumer" "$work/consumer"
"$work/consumer/consumer_c"
"$work/consumer/consumer_cpp"
configure_and_build "$source/examples/c" "$work/quickstart"
"$work/quickstart/quickstart"

export PKG_CONFIG_PATH=$libdir/pkgconfig
[ "$(pkg-config --modversion marlin)" = "$(sed -n 's/^project(marlin VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")" ]
cc -std=c11 "$source/examples/c/quickstart.c" $(pkg-config --cflags --libs marlin) -lm -o "$work/with_pkg_config"
LD_LIBRARY_PATH=$libdir "$work/with_pkg_config"
