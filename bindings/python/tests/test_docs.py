"""Every snippet of docs/python.md and of the README is run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "docs" / "python.md", ROOT / "bindings" / "python" / "README.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(language):
    found = []
    for page in PAGES:
        for number, match in enumerate(BLOCK.finditer(page.read_text())):
            assert match[1] in ("python", "sh"), f"{page.name}: nobody runs {match[1]}"
            if match[1] == language:
                found.append(pytest.param(match[2], id=f"{page.stem}-{number}"))
    return found


@pytest.mark.parametrize("code", snippets("python"))
def test_python(code, tmp_path):
    if "import torch" in code:
        try:
            import torch  # noqa: F401
        except Exception as error:
            pytest.skip(f"PyTorch cannot be imported: {str(error).splitlines()[0]}")
    # The pages multiply on the GPU where there is one, by arrays of the CPU: as on a machine without.
    code = code.replace("libmarlin.Handle()", 'libmarlin.Handle("cpu")')
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("lines", snippets("sh"))
def test_sh(lines, tmp_path):
    pytest.importorskip("typer")
    for line in lines.splitlines():
        words = shlex.split(line)
        if words[:2] == ["pip", "install"]:  # the check installs the wheel itself
            continue
        assert words[0] == "marlin", f"nobody runs {line}"
        run = subprocess.run([sys.executable, "-m", "libmarlin", *words[1:]], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
