"""The tokenizer on a small made-up vocabulary in the form of a GGUF file's metadata."""

import pytest
from tokenizers.pre_tokenizers import ByteLevel

from smollm.tokenizer import BytePair, Bytes

TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def text():
    control = ["<|start|>", "<|end|>"]
    merges = ["t h", "Ġ th", "Ġth e", "1 8"]
    tokens = control + sorted(ByteLevel.alphabet()) + [merge.replace(" ", "") for merge in merges]
    return BytePair(
        {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": "smollm",
            "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.token_type": [3, 3] + [1] * (len(tokens) - 2),
            "tokenizer.ggml.merges": merges,
            "tokenizer.ggml.eos_token_id": 1,
            "tokenizer.chat_template": TEMPLATE,
        }
    )


@pytest.mark.parametrize("sample", ["the other", " the  1813\n\n\tx", "naïve 猫 isn't", "", "a\r\nb \u00a0 c"])
def test_round_trip(text, sample):
    assert text.decode(text.encode(sample)) == sample


def test_merges_are_used(text):
    assert len(text.encode(" the")) == 1


def test_digits_stay_alone(text):
    assert len(text.encode("18")) == 2


def test_chat_uses_the_template_and_control_tokens(text):
    tokens = text.chat("the")
    assert tokens.count(0) == 2 and tokens.count(1) == 1
    assert tokens[0] == 0
    assert text.decode(tokens) == "user\ntheassistant\n"
    assert text.stop == {1}


def test_another_tokenizer_is_refused():
    with pytest.raises(ValueError, match="gpt2 with splitting llama-bpe, expected gpt2 with smollm"):
        BytePair({"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe"})


def test_bytes():
    assert Bytes().decode(Bytes().encode("naïve")) == "naïve"
