"""Which classifiers `Lean` can run, and `Lean` made of their config and weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from robustnli.fast.network import Layer, Lean
from robustnli.fast.pieces import Linear, Norm

# model_type: prefix of the encoder's weights, the head's two linear layers, and what lies between them
SHAPES = {
    "electra": ("electra", "classifier.dense", "classifier.out_proj", "gelu"),
    "bert": ("bert", "bert.pooler.dense", "classifier", "tanh"),
    "roberta": ("roberta", "classifier.dense", "classifier.out_proj", "tanh"),
}


def expected(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Weight name -> shape of the classifier that `lean` makes of a config. Raises KeyError where the config leaves something out."""
    prefix, dense, classes, _ = SHAPES[config["model_type"]]
    width, inner, own = config["hidden_size"], config["intermediate_size"], f"{prefix}.embeddings"
    narrow = config.get("embedding_size", width)
    linears = {dense: (width, width), classes: (len(config["id2label"]), width)}
    norms = {f"{own}.LayerNorm": narrow}
    if narrow != width:
        linears[f"{prefix}.embeddings_project"] = (width, narrow)
    for i in range(config["num_hidden_layers"]):
        at = f"{prefix}.encoder.layer.{i}"
        linears |= {f"{at}.attention.{name}": (width, width) for name in ("self.query", "self.key", "self.value", "output.dense")}
        linears |= {f"{at}.intermediate.dense": (inner, width), f"{at}.output.dense": (width, inner)}
        norms |= {f"{at}.attention.output.LayerNorm": width, f"{at}.output.LayerNorm": width}
    sizes = {"word": config["vocab_size"], "position": config["max_position_embeddings"], "token_type": config["type_vocab_size"]}
    shapes: dict[str, tuple[int, ...]] = {f"{own}.{name}_embeddings.weight": (size, narrow) for name, size in sizes.items()}
    shapes |= {f"{name}.weight": shape for name, shape in linears.items()} | {f"{name}.bias": shape[:1] for name, shape in linears.items()}
    return shapes | {f"{name}.{part}": (size,) for name, size in norms.items() for part in ("weight", "bias")}


def lean(config: Mapping[str, Any], weights: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> Lean | None:
    """The classifier of a config (as in config.json) and its state; None where its shape is none of those written out here."""
    kind = SHAPES.get(config.get("model_type", ""))
    plain = config.get("hidden_act") == "gelu" and config.get("position_embedding_type") in (None, "absolute")
    if kind is None or not plain or config.get("is_decoder") or config.get("add_cross_attention") or not config["num_hidden_layers"]:
        return None
    prefix, dense, classes, activation = kind

    def linear(name: str, dtype: torch.dtype = dtype) -> Linear:
        return Linear.of(weights[f"{name}.weight"].to(dtype), weights[f"{name}.bias"].to(dtype))

    def norm(name: str) -> Norm:
        return Norm(weights[f"{name}.weight"].float(), weights[f"{name}.bias"].float(), config["layer_norm_eps"])

    heads, own = config["num_attention_heads"], f"{prefix}.embeddings"
    count = config["num_hidden_layers"]
    layers = tuple(_weights_of_layer(f"{prefix}.encoder.layer.{i}", linear, norm, heads, last=i == count - 1) for i in range(count))
    return Lean(
        dtype=dtype,
        heads=heads,
        first_position=config["pad_token_id"] + 1 if prefix == "roberta" else 0,
        words=weights[f"{own}.word_embeddings.weight"].float(),
        positions=weights[f"{own}.position_embeddings.weight"].float(),
        types=weights[f"{own}.token_type_embeddings.weight"].float(),
        norm=norm(f"{own}.LayerNorm"),
        project=linear(f"{prefix}.embeddings_project") if f"{prefix}.embeddings_project.weight" in weights else None,
        layers=layers,
        dense=linear(dense, torch.float32),
        classes=linear(classes, torch.float32),
        activation=activation,
    )


def _weights_of_layer(at: str, linear: Any, norm: Any, heads: int, *, last: bool) -> Layer:
    q, k, v = (linear(f"{at}.attention.self.{name}", torch.float32) for name in ("query", "key", "value"))
    out = linear(f"{at}.attention.output.dense")
    scale, dtype = (q.weight.shape[0] // heads) ** -0.5, out.weight.dtype
    q = Linear.of(q.weight * scale, q.bias * scale)
    parts = ((q,), (k, v)) if last else ((q, k, v),)
    return Layer(
        attend=tuple(
            Linear.of(*(torch.cat([getattr(of, field) for of in part]) for field in ("weight", "bias"))).at(dtype) for part in parts
        ),
        out=out,
        norm_attention=norm(f"{at}.attention.output.LayerNorm"),
        up=linear(f"{at}.intermediate.dense"),
        down=linear(f"{at}.output.dense"),
        norm_output=norm(f"{at}.output.LayerNorm"),
    )
