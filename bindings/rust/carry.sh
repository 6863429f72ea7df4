#!/usr/bin/env bash
# Puts the Rust tests into a folder that runs on another machine: programs, golden vectors and run.sh, no Rust needed.
# usage: carry.sh FOLDER [LIBDIR]: LIBDIR holds the libmarlin.so to link with, MARLIN_LIB_DIR otherwise. There:
#        FOLDER/run.sh LIBDIR, with the libmarlin.so to be tested, which may be another.
set -euo pipefail
[ $# -ge 1 ] || { sed -n 2,4p "$0" >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
MARLIN_LIB_DIR=$(cd "${2:-${MARLIN_LIB_DIR:?is not set, expected the folder that holds libmarlin.so}}" && pwd)
export MARLIN_LIB_DIR
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/../../build/rust/target}
cd "$here"

rm -rf "$folder"/{programs,golden,run.sh}
mkdir "$folder/programs"
for package in libmarlin libmarlin-cudarc; do
    # One line of JSON for each program: its package's folder comes before its own path.
    cargo test --quiet --locked --package "$package" --tests --no-run --message-format=json |
        sed -n 's/.*"kind":\["test"\].*"name":"\([^"]*\)".*"executable":"\([^"]*\)".*/\1 \2/p' |
        while read -r name program; do
            cp "$program" "$folder/programs/$package-$name"
        done
done
cargo build --quiet --locked --package libmarlin --examples
cp "$CARGO_TARGET_DIR"/debug/examples/{device,gptq} "$folder/programs/"
cp -r ../../tests/golden "$folder/golden"
cp carried.sh "$folder/run.sh"
echo "$folder: $(find "$folder/programs" -type f | wc -l) programs; there: run.sh LIBDIR"
