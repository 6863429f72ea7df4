"""The forward pass: a cache changes nothing, position matters, and rotations are those of llama.cpp's row order."""

import numpy as np
import pytest

from smollm import weights
from smollm.model import Transformer, float_linears, generate, perplexity


@pytest.fixture(scope="module")
def model():
    return weights.synthetic()


@pytest.fixture(scope="module")
def linears(model):
    return float_linears(model)


def test_one_by_one_is_all_at_once(model, linears):
    tokens = list(b"the same tokens")
    whole = Transformer(model, linears, 32).read(tokens)
    single = Transformer(model, linears, 32)
    steps = np.concatenate([single.read([token]) for token in tokens])
    np.testing.assert_allclose(steps, whole, rtol=0, atol=1e-3 * np.abs(whole).max())


def test_later_tokens_do_not_change_earlier_ones(model, linears):
    first = Transformer(model, linears, 8).read([1, 2, 3, 4])
    second = Transformer(model, linears, 8).read([1, 2, 3, 99])
    np.testing.assert_allclose(first[:3], second[:3], rtol=0, atol=1e-5 * np.abs(first).max())
    assert not np.allclose(first[3], second[3])


def test_rotation_turns_neighbours_by_their_position(model, linears):
    transformer = Transformer(model, linears, 8)
    x = np.random.default_rng(0).standard_normal((1, 1, model.config.head_size), np.float32)
    rotated = transformer._rotate(x, 5)[0, 0]
    for pair in range(model.config.head_size // 2):
        angle = 5 * model.config.rope_base ** (-2 * pair / model.config.head_size)
        a, b = x[0, 0, 2 * pair : 2 * pair + 2].astype(np.float64)
        expected = (a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle))
        np.testing.assert_allclose(rotated[2 * pair : 2 * pair + 2], expected, atol=1e-5)


def test_perplexity_does_not_depend_on_the_chunk(model, linears):
    tokens = list(b"a text of some length, to be read in pieces")
    found = [perplexity(Transformer(model, linears, 64), tokens, chunk=chunk) for chunk in (5, 64)]
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_generation_stops(model, linears):
    transformer = Transformer(model, linears, 16)
    state = transformer.read([1, 2, 3])
    first = next(generate(transformer, state, set(), 1))
    assert list(generate(transformer, state, {first}, 5)) == []
    assert len(list(generate(transformer, state, set(), 100))) <= 16


def test_a_full_cache_is_refused(model, linears):
    transformer = Transformer(model, linears, 4)
    with pytest.raises(ValueError, match="5 tokens do not fit, expected at most 4 more"):
        transformer.read([1, 2, 3, 4, 5])
