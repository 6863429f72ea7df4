#!/usr/bin/env bash
# The GPU code inside the library: machine code for sm_80, sm_90 and sm_90a, and PTX that newer GPUs compile.
set -euo pipefail
library=$1 cuobjdump=$2
[ -x "$cuobjdump" ] || { echo "cuobjdump is not installed here: not run"; exit 77; }

listed=$("$cuobjdump" --list-elf --list-ptx "$library" |
    grep -oP '(ELF|PTX) file.*\.\Ksm_\w+\.(cubin|ptx)' | LC_ALL=C sort -u | xargs)
expected="sm_80.cubin sm_90.cubin sm_90.ptx sm_90a.cubin"
echo "$listed"
[ "$listed" = "$expected" ] || { echo "architectures.sh: expected $expected" >&2; exit 1; }
