"""Linear layers and layer norms with their gradients at the input, through oneDNN where torch has it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Linear:
    """y = x W' + b. Made of weights of one precision; x has the same.

    In float32 the weight lies as (in, out): so oneDNN is a third faster on few rows.
    """

    weight: Tensor  # (out, in)
    bias: Tensor

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor) -> Linear:
        """Made of a weight (out, in) and a bias."""
        return cls(weight.t().contiguous().t() if weight.dtype == torch.float32 else weight.contiguous(), bias)

    def __call__(self, x: Tensor) -> Tensor:
        """(rows, in) -> (rows, out)."""
        return _product(x, self.weight, self.bias)

    def onto(self, x: Tensor, rest: Tensor) -> Tensor:
        """`rest` (rows, out; float32) + y, in float32."""
        if _ONEDNN and x.dtype == torch.float32:
            out: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, rest, self.weight, self.bias, "add")
            return out
        return self(x).float().add_(rest)

    def back(self, dy: Tensor) -> Tensor:
        """(rows, out) -> (rows, in): the gradient at x of a gradient at y."""
        return _product(dy, self.weight.t(), None)

    def at(self, dtype: torch.dtype) -> Linear:
        """The same weights at another precision."""
        return Linear.of(self.weight.to(dtype), self.bias.to(dtype))


@dataclass(frozen=True, slots=True)
class Norm:
    """Layer norm in float32."""

    weight: Tensor
    bias: Tensor
    eps: float

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(rows, width) -> the normalised rows, their means, their reciprocal deviations."""
        out: tuple[Tensor, Tensor, Tensor] = torch.native_layer_norm(x, (x.shape[-1],), self.weight, self.bias, self.eps)
        return out

    def back(self, dy: Tensor, x: Tensor, mean: Tensor, rstd: Tensor) -> Tensor:
        """The gradient at x of a gradient at the output."""
        shape = (x.shape[-1],)
        out: Tensor = _aten.native_layer_norm_backward(dy, x, shape, mean, rstd, self.weight, self.bias, [True, False, False])[0]
        return out


def half_precision() -> bool:
    """Whether this processor multiplies bfloat16 natively, so that it pays."""
    return _ONEDNN and any(
        ask() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported") if (ask := getattr(torch.cpu, name, None))
    )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if _ONEDNN:
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
        return out
    return torch.nn.functional.linear(x, weight, bias)


def _onednn() -> bool:
    """Whether torch has oneDNN's linear product, which it does not on every system."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        torch.ops.mkldnn._linear_pointwise(torch.ones(1, 2), torch.ones(2, 2), torch.ones(2), "none", [], "")
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
    return True


_ONEDNN = _onednn()
