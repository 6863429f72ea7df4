#!/usr/bin/env bash
# Of Hopper's machine code: no instruction touches the registers of a wgmma that is under way (wgmma.py), and loops that
# copy stay in uniform registers (copies.py).
set -euo pipefail
library=$(realpath "$1") cuobjdump=$2
here=$(cd "$(dirname "$0")" && pwd)
[ -x "$cuobjdump" ] || { echo "cuobjdump is not installed here: not run"; exit 77; }
PATH=$(dirname "$cuobjdump"):$PATH
command -v nvdisasm >/dev/null || { echo "nvdisasm is not installed here: not run"; exit 77; }
command -v python3 >/dev/null || { echo "python3 is not installed here: not run"; exit 77; }

# One disassembler after the other would take minutes.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$cuobjdump" -xelf sm_90a "$library" >/dev/null
find . -name '*.cubin' -print0 | xargs -0 -P "$(nproc)" -I{} bash -c '"$0" -sass "$1" >"$1.sass"' "$cuobjdump" {}
find . -name '*.sass' -exec cat {} + | python3 -B "$here/check_sass.py"
