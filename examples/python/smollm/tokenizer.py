"""Text to tokens and back: byte-pair encoding from the file's own vocabulary and merges, and its chat template."""

from __future__ import annotations

from typing import Any, Protocol

from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

_CONTROL = 3  # tokenizer.ggml.token_type of tokens that stand for no text


class Text(Protocol):
    """What the demo asks of a tokenizer."""

    stop: set[int]

    def encode(self, text: str) -> list[int]:
        """Turn text into tokens."""

    def decode(self, tokens: list[int]) -> str:
        """Turn tokens into text, leaving control tokens out."""

    def chat(self, message: str) -> list[int]:
        """Turn a user's message into the tokens after which the model answers."""


class BytePair:
    """The tokenizer of a GGUF file's metadata."""

    def __init__(self, metadata: dict[str, Any]) -> None:
        model, split = metadata["tokenizer.ggml.model"], metadata["tokenizer.ggml.pre"]
        if (model, split) != ("gpt2", "smollm"):
            raise ValueError(f"the tokenizer is {model} with splitting {split}, expected gpt2 with smollm")
        tokens: list[str] = metadata["tokenizer.ggml.tokens"]
        merges = [tuple(merge.split(" ")) for merge in metadata["tokenizer.ggml.merges"]]
        vocabulary = {token: number for number, token in enumerate(tokens)}
        self._tokenizer = Tokenizer(models.BPE(vocabulary, merges))
        # "smollm": every digit alone, then the words of GPT-2, as bytes.
        self._tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        self._tokenizer.decoder = decoders.ByteLevel()
        kinds = metadata["tokenizer.ggml.token_type"]
        control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
        self._tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
        self.stop = {metadata["tokenizer.ggml.eos_token_id"]}
        self._template = ImmutableSandboxedEnvironment().from_string(metadata["tokenizer.chat_template"])

    def encode(self, text: str) -> list[int]:
        """Turn text into tokens; names of control tokens in it become those."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def decode(self, tokens: list[int]) -> str:
        """Turn tokens into text, leaving control tokens out."""
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return text

    def chat(self, message: str) -> list[int]:
        """Turn a user's message into the tokens after which the model answers."""
        messages = [{"role": "user", "content": message}]
        return self.encode(self._template.render(messages=messages, add_generation_prompt=True))


class Bytes:
    """The synthetic model's tokenizer: a token is a byte."""

    def __init__(self) -> None:
        self.stop: set[int] = set()

    def encode(self, text: str) -> list[int]:
        """Turn text into its UTF-8 bytes."""
        return list(text.encode())

    def decode(self, tokens: list[int]) -> str:
        """Turn bytes into text, with a mark where they are none."""
        return bytes(tokens).decode(errors="replace")

    def chat(self, message: str) -> list[int]:
        """Return the message itself: there is nobody to answer."""
        return self.encode(message)
