#!/usr/bin/env bash
# Checks the Python package: check.sh [PREFIX [RESULTS]]
#
# PREFIX is an installed libmarlin; without it the CPU library of this checkout is built. RESULTS is a folder for the
# results of pytest as JUnit XML. Everything is built under build/python at the top of the repository. Downloads
# packages only; MARLIN_PYTHON_TORCH=OFF leaves PyTorch out (half a gigabyte), and with it the tests of libmarlin.torch.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/python
prefix=${1:+$(realpath "$1")}
results=$(realpath -m "${2:-$build/results}")
mkdir -p "$build" "$results"
# The same release as on the GPU machine, so that what passes here is what runs there.
torch='torch==2.11.*'
torch_needs=(filelock fsspec jinja2 'mpmath<1.4' networkx 'setuptools<82' sympy typing_extensions)

export PYTHONPYCACHEPREFIX=$build/pycache RUFF_CACHE_DIR=$build/ruff PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '\n-- python: %s\n' "$*"; }

# make_venv FOLDER PACKAGE...: once for each list of packages and Python version.
make_venv() {
    local folder=$1 stamp
    shift
    stamp=$folder/stamp-$({ python3 -VV; printf '%s\n' "$@"; cat "$here/requirements-dev.txt"; } | sha256sum | cut -c1-16)
    [ ! -f "$stamp" ] || return 0
    say "installing $*"
    python3 -m venv --clear "$folder"
    "$folder/bin/python" -m pip install -q "$@" </dev/null
    touch "$stamp"
}

build_library() {
    say "building the library for the CPU: no PREFIX was given"
    cmake -S "$root" -B "$build/library" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMARLIN_CUDA=OFF -DMARLIN_TESTS=OFF \
        --log-level=NOTICE
    cmake --build "$build/library" --target marlin
    prefix=$build/prefix
    cmake --install "$build/library" --prefix "$prefix" >/dev/null
}

lint() {
    say "ruff and mypy"
    (
        cd "$here"
        "$tools/ruff" format --check --quiet . || { "$tools/ruff" format --diff .; return 1; }
        "$tools/ruff" check .
        "$tools/mypy" --cache-dir "$build/mypy" src/libmarlin
    )
}

# The wheel, on the library of PREFIX: one file for every CPython from 3.11 on.
make_wheel() {
    say "wheel"
    rm -rf "$build/wheel" "$build/dist"
    # Its own build would leave the library's header and CMake files behind: the module alone is compiled here.
    PATH=$tools:$PATH "$tools/python" -m pip wheel -q --no-build-isolation --no-deps --wheel-dir "$build/wheel" \
        --config-settings "cmake.define.marlin_DIR=$prefix/lib/cmake/marlin" "$here" </dev/null
    # The tag says the oldest glibc that has the symbols. Nothing is copied in: the library is inside already.
    PATH=$tools:$PATH "$tools/auditwheel" show "$build"/wheel/*.whl 2>/dev/null | grep -o "manylinux_[0-9_a-z]*" | head -1 || true
    PATH=$tools:$PATH "$tools/auditwheel" repair --wheel-dir "$build/dist" "$build"/wheel/*.whl >"$build/auditwheel.log" 2>&1 ||
        { cat "$build/auditwheel.log" >&2; return 1; }
    wheel=$(echo "$build"/dist/*.whl)
    basename "$wheel"
    case $wheel in
    *-cp311-abi3-manylinux_2_[0-9]*_x86_64.whl) ;;
    *)
        echo "check.sh: the wheel is $wheel, expected the tag cp311-abi3-manylinux_2_..._x86_64" >&2
        return 1
        ;;
    esac
}

# A user's machine: a virtual environment with nothing in it, no index to install from, no repository around.
fresh_install() {
    say "pip install in a fresh environment, then doctor"
    local fresh=$build/fresh
    python3 -m venv --clear "$fresh"
    "$fresh/bin/python" -m pip install -q --no-index "$wheel" </dev/null
    (
        cd /
        "$fresh/bin/python" -m libmarlin doctor
        "$fresh/bin/marlin" doctor --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
assert not report["errors"] and report["cpu"]["kernels"], report'
        ! "$fresh/bin/marlin" bench 2>"$build/bench-error" || return 1
        grep -q "pip install 'libmarlin\[cli\]'" "$build/bench-error"
    )
}

# Sets stand_ins to a folder for LD_LIBRARY_PATH, or leaves it empty. PyTorch's own requirements are gigabytes of CUDA
# libraries; tests/support/cpu_torch.py says how the tests do without.
install_torch() {
    stand_ins=
    if [ "${MARLIN_PYTHON_TORCH:-ON}" = OFF ]; then
        say "libmarlin.torch is NOT tested: MARLIN_PYTHON_TORCH=OFF"
        return
    fi
    local stamp=$build/test/stamp-torch-${torch##*=}
    if [ ! -f "$stamp" ]; then
        say "installing $torch without CUDA's libraries"
        if ! "$build/test/bin/python" -m pip install -q --no-deps "$torch" "${torch_needs[@]}" markupsafe </dev/null; then
            say "libmarlin.torch is NOT tested: $torch cannot be installed"
            return
        fi
        touch "$stamp"
    fi
    rm -rf "$build/stand-ins"
    python3 "$here/tests/support/cpu_torch.py" "$build/test/bin/python" "$build/stand-ins"
    stand_ins=$build/stand-ins
    if ! LD_LIBRARY_PATH=$stand_ins "$build/test/bin/python" -c 'import torch' 2>"$build/torch-error"; then
        tail -1 "$build/torch-error"
        say "libmarlin.torch is NOT tested: PyTorch does not load"
        stand_ins=
    fi
}

run_tests() {
    say "pytest"
    "$build/test/bin/python" -m pip install -q --no-index --no-deps --force-reinstall "$wheel" </dev/null
    (
        cd "$here"
        export LD_LIBRARY_PATH=$stand_ins${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
        "$build/test/bin/python" -m pytest -q -rs -p no:cacheprovider --junitxml "$results/python.xml"
    )
}

command -v python3 >/dev/null || { echo "check.sh: python3 is missing" >&2; exit 1; }
tools=$build/tools/bin
make_venv "$build/tools" 'scikit-build-core>=0.10' 'swig>=4.2' -r "$here/requirements-dev.txt"
make_venv "$build/test" -r "$here/requirements-dev.txt" 'matplotlib>=3.8'
[ -n "$prefix" ] || build_library

set +e
(set -e; lint)
lint_status=$?
set -e
make_wheel
fresh_install
install_torch
run_tests
exit $lint_status
