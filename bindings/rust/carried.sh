#!/usr/bin/env bash
# Runs the Rust tests beside this script on the libmarlin.so in a folder: run.sh LIBDIR. Tests of GPUs run where the
# library finds a CUDA device, and are ignored otherwise.
set -euo pipefail
LD_LIBRARY_PATH=$(cd "${1:?is missing, expected the folder that holds libmarlin.so}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
MARLIN_GOLDEN_DIR=$PWD/golden
export LD_LIBRARY_PATH MARLIN_GOLDEN_DIR
arguments=()
if device=$(programs/device cuda 2>&1); then
    arguments=(--include-ignored)
fi
printf '%s\n' "$device"
status=0
for program in programs/libmarlin*; do
    echo "== $program"
    "$program" "${arguments[@]}" || status=1
done
programs/gptq || status=1
exit $status
