"""Lean: BERT-, ELECTRA- and RoBERTa-shaped classifiers run leaner than transformers does, with a gradient that needs no autograd.

Same function, fewer steps; `tests/test_fast.py` holds it to transformers' own logits and gradients. What it saves:

- Rows of several lengths lie one behind the other (`Packed`): no padding, and every matrix product is as tall as the token budget
  allows. Only attention looks at each length apart.
- The last layer is computed for [CLS] alone, forward and back: nothing else of it is read.
- Query, key and value are one product; residual sums are fused into products where oneDNN can; float32 goes through oneDNN too,
  which MKL is no match for on processors it does not know.
- The gradient is that of the embeddings only. It is written out below, so nothing is recorded, no hook is set, and threads share
  one `Lean`.

In bfloat16 only matrix products and attention are; sums, layer norms, softmax and the head stay in float32.
"""

from __future__ import annotations

from robustnli.fast.network import Differentiable, Lean, Trace
from robustnli.fast.packing import Packed, pack, same_length
from robustnli.fast.pieces import half_precision
from robustnli.fast.shapes import expected, lean

__all__ = ["Differentiable", "Lean", "Packed", "Trace", "expected", "half_precision", "lean", "pack", "same_length"]
