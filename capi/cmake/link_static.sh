#!/bin/sh
# Links objects and archives into one object in which only marlin_* can be seen from outside.
# usage: link_static.sh LD NM OBJCOPY OUTPUT INPUT...
set -eu
ld=$1 nm=$2 objcopy=$3 output=$4
shift 4
unique=$output.unique
trap 'rm -f "$unique"' EXIT

# Groups of one inline function each would be merged with the program's by their name, local or not.
"$ld" -r --force-group-allocation -o "$output" "$@"
# What the compiler calls unique (static variables of templates) can only be made local once it is weak.
"$nm" --defined-only "$output" | awk '$2 == "u" {print $3}' >"$unique"
"$objcopy" --weaken-symbols="$unique" "$output"
"$objcopy" --wildcard --keep-global-symbol='marlin_*' --strip-unneeded --remove-section=.comment "$output"
