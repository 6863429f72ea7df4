#!/usr/bin/env bash
# What the library's ELF file promises: exports are the header's functions, few libraries are needed, one SONAME.
set -euo pipefail
library=$1 header=$2
failed=0
complain() { echo "symbols.sh: $*" >&2; failed=1; }

exported=$(nm -D --defined-only "$library" | awk '{print $NF}' | sort)
declared=$(grep -oP '^MARLIN_API .*?\K\bmarlin_\w+(?=\()' "$header" | sort)
[ -n "$declared" ] || complain "no function found in $header"
difference=$(diff <(echo "$declared") <(echo "$exported") || true)
[ -z "$difference" ] || complain "declared (<) and exported (>) differ:"$'\n'"$difference"

dynamic=$(readelf -dW "$library")
needed=$(grep -oP 'NEEDED.*\[\K[^]]+' <<<"$dynamic" | sort)
for name in $needed; do
    case $name in
    libc.so.6 | libm.so.6 | libstdc++.so.6 | libgcc_s.so.1 | ld-linux-x86-64.so.2) ;;
    *) complain "needs $name, expected at most libc, libm, libstdc++, libgcc_s and the loader" ;;
    esac
done
soname=$(grep -oP 'SONAME.*\[\K[^]]+' <<<"$dynamic")
[ "$soname" = libmarlin.so.0 ] || complain "SONAME is $soname, expected libmarlin.so.0"
! grep -qE 'RPATH|RUNPATH|TEXTREL' <<<"$dynamic" || complain "has a run path or text relocations, expected none"
grep -q BIND_NOW <<<"$dynamic" || complain "is not linked with -z now"
! readelf -lW "$library" | grep 'GNU_STACK' | grep -q 'RWE' || complain "asks for an executable stack"

# The machine that may load it: the newest versions of the symbols it asks for.
newest() { readelf -VW "$library" | grep -oP "Name: $1_\K[0-9.]+" | sort -V | tail -1; }
# A build on a newer system than releases are made on may ask for that system's.
glibc=$(newest GLIBC)
newer() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | tail -1)" != "$2" ]; }
here=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
if newer "$glibc" 2.34 && ! newer "$here" 2.36; then
    complain "asks for glibc $glibc, expected at most 2.34"
fi
echo "needs: ${needed//$'\n'/ }; glibc $glibc, GLIBCXX $(newest GLIBCXX); $(wc -w <<<"$exported") functions"
exit $failed
