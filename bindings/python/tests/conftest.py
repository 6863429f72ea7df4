"""What all tests share: a CPU handle and random numbers."""

import numpy as np
import pytest

import libmarlin


@pytest.fixture
def handle():
    with libmarlin.Handle("cpu") as opened:
        yield opened


@pytest.fixture
def random(request):
    # A test's own numbers, the same every run.
    return np.random.default_rng(sum(request.node.name.encode()))
