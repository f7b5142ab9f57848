"""The way forward, and the way back to the embeddings, written out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from robustnli.fast.packing import Packed
from robustnli.fast.pieces import Linear, Norm

_aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's weights; the attention's scale 1 / sqrt(head width) lies in the query's."""

    attend: tuple[Linear, ...]  # query, key and value in one; of the last layer: query, key and value
    out: Linear
    norm_attention: Norm
    up: Linear
    down: Linear
    norm_output: Norm

    def at(self, dtype: torch.dtype) -> Layer:
        """The same with its matrix products at another precision."""
        return replace(
            self, attend=tuple(of.at(dtype) for of in self.attend), out=self.out.at(dtype), up=self.up.at(dtype), down=self.down.at(dtype)
        )


@dataclass(slots=True)
class Kept:
    """What a layer's gradient needs of the way forward, for the tokens it is asked for."""

    qkv: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)  # a group: each (rows * heads, length or 1, width)
    attention: list[Tensor] = field(default_factory=list)  # a group: (rows * heads, length or 1, length), float32
    norms: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)  # input, mean, rstd of the two norms
    up: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """What `Lean.gradient` needs of a forward pass."""

    packed: Packed
    embedded: tuple[Tensor, Tensor, Tensor]
    layers: tuple[Kept, ...]
    head: tuple[Tensor, Tensor]  # before and after the head's activation: (rows, width)


@dataclass(frozen=True, slots=True)
class Lean:
    """A classifier's weights at one precision. Computes logits in the network's own order of classes."""

    dtype: torch.dtype
    heads: int
    first_position: int
    words: Tensor
    positions: Tensor
    types: Tensor
    norm: Norm
    project: Linear | None
    layers: tuple[Layer, ...]
    dense: Linear
    classes: Linear
    activation: str

    def at(self, dtype: torch.dtype) -> Lean:
        """The same with its matrix products at another precision."""
        return replace(
            self,
            dtype=dtype,
            project=self.project.at(dtype) if self.project else None,
            layers=tuple(layer.at(dtype) for layer in self.layers),
        )

    def logits(self, embeds: Tensor, packed: Packed, *, keep: int = 0) -> tuple[Tensor, Trace | None]:
        """Logits (rows, classes), float32, of word embeddings (tokens, width); a `Trace` of the first `keep` groups, if any."""
        kept = tuple(Kept() for _ in self.layers) if keep else ()
        end = packed.head(keep).ids.shape[0] if keep else 0
        total = embeds + self.types[packed.types] + self.positions[packed.positions + self.first_position]
        x, mean, rstd = self.norm(total)
        if self.project is not None:
            x = self.project(x.to(self.dtype)).float()
        for i, layer in enumerate(self.layers):
            into = kept[i] if keep else None
            run = _layer_of_firsts if i == len(self.layers) - 1 else _layer
            x = run(layer, x, packed, self.heads, self.dtype, into, keep, end)
        before = self.dense(x)  # x: (rows, width), the [CLS] of each
        after = torch.tanh(before) if self.activation == "tanh" else torch.nn.functional.gelu(before)
        logits = self.classes(after)[: packed.rows]
        if not keep:
            return logits, None
        traced = packed.head(keep)
        rows = len(traced.firsts)
        return logits, Trace(traced, (total[:end], mean[:end], rstd[:end]), kept, (before[:rows], after[:rows]))

    def gradient(self, trace: Trace, d_logits: Tensor) -> Tensor:
        """d / d embeds (tokens, width), float32, of d / d logits (rows, classes), for the traced rows."""
        before, after = trace.head
        d_after = self.classes.back(torch.nn.functional.pad(d_logits, (0, 0, 0, len(after) - len(d_logits))))
        d_before = d_after * (1 - after * after) if self.activation == "tanh" else _aten.gelu_backward(d_after, before)
        d = self.dense.back(d_before)
        for i in reversed(range(len(self.layers))):
            back = _back_of_firsts if i == len(self.layers) - 1 else _back
            d = back(self.layers[i], d, trace.packed, self.heads, self.dtype, trace.layers[i])
        if self.project is not None:
            d = self.project.back(d.to(self.dtype)).float()
        return self.norm.back(d, *trace.embedded)[: trace.packed.tokens]


def _layer(layer: Layer, x: Tensor, packed: Packed, heads: int, dtype: torch.dtype, kept: Kept | None, keep: int, end: int) -> Tensor:
    """A layer's output (tokens, width) of its input, both float32."""
    width = x.shape[1]
    qkv = layer.attend[0](x.to(dtype))  # (tokens, 3 * width)
    context = torch.zeros(x.shape, dtype=dtype)
    for number, (start, rows, length) in enumerate(packed.groups):
        of = qkv[start : start + rows * length].view(rows, length, 3, heads, -1)
        q, k, v = of.permute(2, 0, 3, 1, 4).reshape(3, rows * heads, length, width // heads)
        weights = torch.bmm(q, k.transpose(1, 2)).float().softmax(-1)  # (rows * heads, length, length)
        mixed = torch.bmm(weights.to(dtype), v).view(rows, heads, length, -1).transpose(1, 2)
        context[start : start + rows * length].view(rows, length, heads, -1).copy_(mixed)
        if kept is not None and number < keep:
            kept.qkv.append((q, k, v))
            kept.attention.append(weights)
    return _rest_of_layer(layer, context, x, dtype, kept, end)


def _layer_of_firsts(
    layer: Layer, x: Tensor, packed: Packed, heads: int, dtype: torch.dtype, kept: Kept | None, keep: int, end: int
) -> Tensor:
    """The last layer's output for the [CLS] of each row: (rows, width)."""
    width = x.shape[1]
    own = x.to(dtype)
    firsts = packed.firsts
    queries = layer.attend[0](own[firsts])  # (rows, width)
    kv = layer.attend[1](own)  # (tokens, 2 * width)
    context, done = torch.zeros_like(queries), 0
    for number, (start, rows, length) in enumerate(packed.groups):
        of = kv[start : start + rows * length].view(rows, length, 2, heads, -1)
        k, v = of.permute(2, 0, 3, 1, 4).reshape(2, rows * heads, length, width // heads)
        q = queries[done : done + rows].view(rows * heads, 1, -1)
        weights = torch.bmm(q, k.transpose(1, 2)).float().softmax(-1)  # (rows * heads, 1, length)
        context[done : done + rows] = torch.bmm(weights.to(dtype), v).view(rows, width)
        done += rows
        if kept is not None and number < keep:
            kept.qkv.append((q, k, v))
            kept.attention.append(weights)
    return _rest_of_layer(layer, context, x[firsts], dtype, kept, len(packed.head(keep).firsts) if keep else 0)


def _rest_of_layer(layer: Layer, context: Tensor, x: Tensor, dtype: torch.dtype, kept: Kept | None, end: int) -> Tensor:
    """What follows attention, row by row."""
    first = layer.out.onto(context, x)
    middle, *stats_first = layer.norm_attention(first)
    up = layer.up(middle.to(dtype))
    second = layer.down.onto(torch.nn.functional.gelu(up), middle)
    out, *stats_second = layer.norm_output(second)
    if kept is not None:
        kept.norms = [(of[:end], mean[:end], rstd[:end]) for of, (mean, rstd) in ((first, stats_first), (second, stats_second))]
        kept.up = up[:end]
    return out


def _back(layer: Layer, d: Tensor, packed: Packed, heads: int, dtype: torch.dtype, kept: Kept) -> Tensor:
    """The gradient at a layer's input (tokens, width) of that at its output."""
    d, d_context = _back_to_context(layer, d, dtype, kept)
    d_qkv = torch.zeros(d.shape[0], 3 * d.shape[1], dtype=dtype)
    for (start, rows, length), (q, k, v), weights in zip(packed.groups, kept.qkv, kept.attention, strict=True):
        d_mixed = d_context[start : start + rows * length].view(rows, length, heads, -1).transpose(1, 2).reshape(q.shape)
        into = d_qkv[start : start + rows * length].view(rows, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
        for slot, part in zip(into, _back_of_attention(d_mixed, q, k, v, weights), strict=True):
            slot.copy_(part.view(slot.shape))
    return layer.attend[0].back(d_qkv).float().add_(d)


def _back_of_firsts(layer: Layer, d: Tensor, packed: Packed, heads: int, dtype: torch.dtype, kept: Kept) -> Tensor:
    """`_back` of the last layer: from the gradient at each row's [CLS] (rows, width) to that at all tokens."""
    d, d_context = _back_to_context(layer, d, dtype, kept)
    width, done = d.shape[1], 0
    d_q, d_kv = torch.zeros_like(d_context), torch.zeros(packed.ids.shape[0], 2 * width, dtype=dtype)
    for (start, rows, length), (q, k, v), weights in zip(packed.groups, kept.qkv, kept.attention, strict=True):
        d_mixed = d_context[done : done + rows].reshape(q.shape)
        dq, *dkv = _back_of_attention(d_mixed, q, k, v, weights)
        d_q[done : done + rows] = dq.view(rows, width)
        into = d_kv[start : start + rows * length].view(rows, length, 2, heads, -1).permute(2, 0, 3, 1, 4)
        for slot, part in zip(into, dkv, strict=True):
            slot.copy_(part.view(slot.shape))
        done += rows
    out = layer.attend[1].back(d_kv).float()
    own = layer.attend[0].back(d_q).float().add_(d)
    out[packed.firsts[:done]] += own[:done]
    return out


def _back_to_context(layer: Layer, d: Tensor, dtype: torch.dtype, kept: Kept) -> tuple[Tensor, Tensor]:
    """From the gradient at a layer's output to those at its input, past attention (float32), and at what attention gave."""
    assert kept.up is not None
    d = layer.norm_output.back(d, *kept.norms[1])
    d_up = _aten.gelu_backward(layer.down.back(d.to(dtype)), kept.up)
    d = layer.norm_attention.back(layer.up.back(d_up).float().add_(d), *kept.norms[0])
    return d, layer.out.back(d.to(dtype))


def _back_of_attention(d: Tensor, q: Tensor, k: Tensor, v: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients at q, k, v of that at weights @ v: all (rows * heads, length or 1, width)."""
    d_weights = torch.bmm(d, v.transpose(1, 2)).float()
    d_scores = _aten._softmax_backward_data(d_weights, weights, -1, torch.float32).to(q.dtype)
    return torch.bmm(d_scores, k), torch.bmm(d_scores.transpose(1, 2), q), torch.bmm(weights.to(q.dtype).transpose(1, 2), d)


class Differentiable(torch.autograd.Function):
    """`Lean.logits` inside autograd, for methods that ask autograd for gradients: embeds (tokens, width) -> logits (rows, classes)."""

    @staticmethod
    def forward(ctx: Any, embeds: Tensor, model: Lean, packed: Packed) -> Tensor:
        """The logits; the trace waits for `backward`."""
        logits, ctx.trace = model.logits(embeds, packed, keep=len(packed.groups))
        ctx.model = model
        return logits

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_logits: Tensor) -> tuple[Tensor, None, None]:
        """The gradient at the embeddings."""
        return ctx.model.gradient(ctx.trace, d_logits), None, None
