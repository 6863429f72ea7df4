"""Lets PyTorch's wheel load without the CUDA libraries that it names: makes stand-ins for them.

The only wheel of PyTorch that a plain `pip install` finds for Linux is linked with a dozen CUDA libraries, gigabytes
that tests on the CPU never call. Each stand-in has the name, the symbols and the symbol versions that the wheel asks
for; every function of it returns 100, which is cudaErrorNoDevice. Usage: cpu_torch.py PYTHON FOLDER; then run that
Python with LD_LIBRARY_PATH=FOLDER.
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

# Functions of NVIDIA's libraries, where the wheel does not say whose a symbol is: others are Python's and C++'s own.
NVIDIA = re.compile(r"(cu|nccl|nv)[A-Za-z]")


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], capture_output=True, text=True, check=True).stdout


def needed(library):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("-d", library))


def version_owners(library):
    """Return which library each version that this one asks for is of."""
    owners, owner = {}, ""
    for line in readelf("-V", library).splitlines():
        if match := re.search(r"File: (\S+)", line):
            owner = match[1]
        elif owner and (match := re.search(r"Name: (\S+)  Flags", line)):
            owners[match[1]] = owner
    return owners


def symbols(library):
    """Return what a library defines, and what it wants: name -> version or ""."""
    defined, wanted = set(), {}
    for line in readelf("--dyn-syms", library).splitlines():
        fields = line.split()
        if len(fields) < 8 or not fields[0].rstrip(":").isdecimal():
            continue
        name, _, version = fields[7].partition("@")  # name@version, name@@version or name
        if fields[6] != "UND":
            defined.add(name)
        elif fields[4] != "WEAK":
            wanted[name] = version.lstrip("@")
    return defined, wanted


def system_libraries():
    """Return the folders' files by name, as the loader's cache has them."""
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"^\s+(\S+) \(libc6,x86-64.*\) => (\S+)$", cache, re.MULTILINE))


def make(folder, name, versions):
    """Link a stand-in: versions maps a version node, or "", to symbols."""
    assembly, script = [".text"], []
    for node, wanted in sorted(versions.items()):
        for symbol in sorted(wanted):
            assembly += [f".globl {symbol}", f".type {symbol}, @function", f"{symbol}:"]
        if node:
            script.append(f"{node} {{ global: {' '.join(f'{symbol};' for symbol in sorted(wanted))} }};")
    assembly += ["mov $100, %eax", "ret", '.section .note.GNU-stack,"",@progbits']
    source, nodes = folder / f"{name}.s", folder / f"{name}.map"
    source.write_text("\n".join(assembly) + "\n")
    nodes.write_text("\n".join(script) + "\n")
    command = ["gcc", "-shared", "-nostdlib", f"-Wl,-soname,{name}", "-o", folder / name, source]
    subprocess.run(command + ([f"-Wl,--version-script={nodes}"] if script else []), check=True)
    source.unlink()
    nodes.unlink()


def main(python, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    find = "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    torch = Path(subprocess.run([python, "-c", find], capture_output=True, text=True, check=True).stdout.strip())
    # The one left out is loaded by nothing but the compiler of CUDA kernels, and names the driver.
    own = [path for path in torch.glob("lib/*.so*") if path.is_file() and path.name != "libcaffe2_nvrtc.so"]
    present = {path.name for path in own} | {"ld-linux-x86-64.so.2"}
    system = system_libraries()
    missing, defined, wanted, owners = set(), set(), {}, {}
    for library in own:
        missing |= set(needed(library)) - present - set(system)
        here, there = symbols(library)
        defined |= here
        wanted |= there
        owners |= version_owners(library)
    if not missing:
        return
    stand_ins = {name: defaultdict(set) for name in missing}
    rest = set()
    for symbol, version in wanted.items():
        if owners.get(version) in stand_ins:
            stand_ins[owners[version]][version].add(symbol)
        elif not version and symbol not in defined and NVIDIA.match(symbol):
            rest.add(symbol)
    # Libraries without versions: whose a symbol is does not matter, one stand-in has them all.
    unversioned = sorted(name for name in missing if not stand_ins[name])
    stand_ins[unversioned[0] if unversioned else sorted(missing)[0]][""] |= rest
    for name, versions in stand_ins.items():
        make(folder, name, versions)
    print(f"{len(missing)} stand-ins in {folder}: {' '.join(sorted(missing))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
