"""What the tests of libmarlin.torch share: PyTorch, or the reason why it is not there."""

import pytest

# The wheel of PyTorch fails in more ways than by its absence where CUDA's libraries are missing.
try:
    import torch
except Exception:
    torch = None
    collect_ignore_glob = ["test_*.py"]  # ../test_pytorch.py says so


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("gpu") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture(autouse=True)
def same_numbers():
    if torch is not None:
        torch.manual_seed(0)
