#!/usr/bin/env bash
# Hopper's kernels keep everything in registers: none of them has a stack.
set -euo pipefail
library=$1 cuobjdump=$2
[ -x "$cuobjdump" ] || { echo "cuobjdump is not installed here: not run"; exit 77; }

usage=$("$cuobjdump" --dump-resource-usage "$library" 2>&1 | grep -A1 'Function .*sm90_' | grep -v '^--')
kernels=$(grep -c 'Function ' <<<"$usage" || true)
spilling=$(grep -B1 -E 'STACK:[1-9]|LOCAL:[1-9]' <<<"$usage" | grep 'Function ' || true)
echo "$kernels kernels"
[ "$kernels" -gt 0 ] || { echo "registers.sh: the library has no kernel of sm_90a, expected some" >&2; exit 1; }
[ -z "$spilling" ] || { echo "registers.sh: these have a stack, expected none:"; echo "$spilling"; exit 1; } >&2
