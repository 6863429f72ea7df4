"""What the demo found: collected as plain numbers, shown as tables or as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table


@dataclass
class Speed:
    """How long one way of multiplying took."""

    prefill_tokens: int
    prefill_seconds: float
    decode_tokens: int
    decode_seconds: float

    @property
    def prefill(self) -> float:
        """Prompt tokens read in a second."""
        return self.prefill_tokens / self.prefill_seconds

    @property
    def decode(self) -> float:
        """Tokens written in a second; 0 where the model stopped at once."""
        return self.decode_tokens / self.decode_seconds if self.decode_tokens else 0.0


@dataclass
class LayerError:
    """The layer whose product was furthest from FP64, as a share of what rounding may lose."""

    layer: str
    relative: float  # largest |c - reference| / largest |reference|
    of_bound: float  # largest |c - reference| / bound, see worst_layer()
    layers: int


@dataclass
class Report:
    """Everything that the demo measured."""

    model: str
    synthetic: bool
    device: str
    kernel: str
    threads: int
    prompt: str
    text: str
    layers: int
    file_bytes: int
    float_bytes: int
    packed_bytes: int
    head_bytes: int
    packed_speed: Speed
    float_speed: Speed
    error: LayerError
    perplexity_tokens: int
    packed_perplexity: float
    float_perplexity: float
    seconds: float
    notes: list[str] = field(default_factory=list)

    perplexity_limit = 0.005  # relative

    @property
    def perplexity_difference(self) -> float:
        """Of the packed weights' perplexity, relative to the FP32 weights'."""
        return self.packed_perplexity / self.float_perplexity - 1

    @property
    def failures(self) -> list[str]:
        """What did not hold; empty when all is well."""
        failures = []
        if not abs(self.perplexity_difference) <= self.perplexity_limit:
            failures.append(
                f"perplexity differs by {self.perplexity_difference:+.3%}, expected at most {self.perplexity_limit:.1%}"
            )
        if not self.error.of_bound <= 1:
            failures.append(
                f"{self.error.layer} is {self.error.of_bound:.2f} of the error bound from FP64, expected at most 1"
            )
        return failures

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""

        def speed(of: Speed) -> dict[str, float]:
            return {
                "prefill_tokens": of.prefill_tokens,
                "prefill_tokens_per_second": round(of.prefill, 2),
                "decode_tokens": of.decode_tokens,
                "decode_tokens_per_second": round(of.decode, 2),
            }

        return {
            "model": self.model,
            "synthetic": self.synthetic,
            "device": self.device,
            "kernel": self.kernel,
            "threads": self.threads,
            "prompt": self.prompt,
            "text": self.text,
            "linear_layers": self.layers,
            "bytes": {
                "file": self.file_bytes,
                "fp32": self.float_bytes,
                "packed": self.packed_bytes,
                "head_fp32": self.head_bytes,
            },
            "speed": {"packed": speed(self.packed_speed), "fp32": speed(self.float_speed)},
            "worst_layer": {
                "layer": self.error.layer,
                "relative_error": self.error.relative,
                "of_bound": self.error.of_bound,
            },
            "perplexity": {
                "tokens": self.perplexity_tokens,
                "packed": self.packed_perplexity,
                "fp32": self.float_perplexity,
                "difference": self.perplexity_difference,
                "limit": self.perplexity_limit,
            },
            "seconds": round(self.seconds, 1),
            "notes": self.notes,
            "failures": self.failures,
        }

    def show(self, console: Console) -> None:
        """Print the tables."""
        table = Table(title=f"{self.layers} linear layers of {escape(self.model)}", title_justify="left")
        table.add_column("")
        table.add_column("packed by libmarlin", justify="right")
        table.add_column("FP32, NumPy", justify="right")
        packed, plain = self.packed_speed, self.float_speed
        table.add_row("weights in memory", _mib(self.packed_bytes), _mib(self.float_bytes))
        table.add_row(f"prefill of {packed.prefill_tokens} tokens", _rate(packed.prefill), _rate(plain.prefill))
        table.add_row("decode", _rate(packed.decode), _rate(plain.decode))
        table.add_row(
            f"perplexity of {self.perplexity_tokens} tokens",
            f"{self.packed_perplexity:.4f} ({self.perplexity_difference:+.4%})",
            f"{self.float_perplexity:.4f}",
        )
        console.print(table)
        console.print(
            f"In the file the layers take {_mib(self.file_bytes)}. The embedding, {_mib(self.head_bytes)} as FP32, is "
            "also the head and is multiplied by NumPy in both columns."
        )
        console.print(
            f"Worst of {self.error.layers} layers against FP64: [bold]{self.error.layer}[/bold], relative error "
            f"{self.error.relative:.2e}, {self.error.of_bound:.1%} of what rounding may lose."
        )
        where = f"{self.device}, kernel {self.kernel}, {self.threads} threads"
        console.print(f"Device: {where}. {self.seconds:.0f} s in all.")
        for note in self.notes:
            console.print(f"[yellow]Note:[/yellow] {escape(note)}")
        for failure in self.failures:
            console.print(f"[red]Failed:[/red] {escape(failure)}")
        if not self.failures:
            console.print("[green]Perplexity within 0.5 %, every layer within its bound.[/green]")


def show_text(console: Console, prompt: str, text: str) -> None:
    """Print what was asked and what was answered."""
    console.print(Panel(f"[dim]{escape(prompt)}[/dim]\n\n{escape(text) or '(nothing)'}", title="generated", width=100))


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def _rate(tokens: float) -> str:
    return f"{tokens:.1f} tokens/s" if tokens else "-"
