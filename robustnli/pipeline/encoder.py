"""A classifier to train, from any encoder: ELECTRA as it is, BERT copied by name into ELECTRA's layout."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import (
    AutoConfig,
    AutoTokenizer,
    ElectraConfig,
    ElectraForSequenceClassification,
    PreTrainedTokenizerBase,
)
from transformers.utils.logging import disable_progress_bar

from robustnli.errors import CheckpointError
from robustnli.types import LABELS

ID2LABEL = {int(label): label.text for label in LABELS}
_COPIED = (  # noqa: SIM905
    "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act "
    "max_position_embeddings type_vocab_size layer_norm_eps initializer_range pad_token_id"
).split()


@dataclass(frozen=True, slots=True)
class Start:
    """What training starts from: the model with a fresh (or, from our own checkpoint, a trained) head.

    `origin` names it without a path of this machine; `trim` is what `robustnli trim` noted of its vocabulary.
    """

    model: ElectraForSequenceClassification
    tokenizer: PreTrainedTokenizerBase
    origin: str
    trim: dict[str, Any] | None = None


def start_from(encoder: str, *, dropout: float, attention_dropout: float) -> Start:
    """`encoder` (local folder or hub id) as an `ElectraForSequenceClassification` with three named labels.

    An ELECTRA folder keeps its classifier head when it has one. A BERT folder's encoder weights are copied by
    name; its pooler is dropped. Raises CheckpointError when weights of the encoder are missing.
    """
    disable_progress_bar()
    if not Path(encoder).is_dir() and (encoder.count("/") != 1 or encoder.startswith((".", "/", "~"))):
        raise CheckpointError(
            f"{encoder}: no such folder. Give an encoder's folder, or a hub id such as google/electra-small-discriminator."
        )
    try:
        config = AutoConfig.from_pretrained(encoder)
        tokenizer = AutoTokenizer.from_pretrained(encoder)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{encoder}: no encoder could be loaded ({str(error).splitlines()[0]}). Give a folder or a hub id such as google/electra-small-discriminator."
        ) from error
    # from_dict is how a saved config comes back; a subclass of dict-typed kwargs would need a type each.
    named: dict[str, Any] = {"id2label": ID2LABEL, "label2id": {v: k for k, v in ID2LABEL.items()}, "num_labels": len(LABELS)}
    drop: dict[str, Any] = {
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": attention_dropout,
        "classifier_dropout": dropout,
    }
    if config.model_type == "electra":
        model, info = ElectraForSequenceClassification.from_pretrained(
            encoder, attn_implementation="eager", output_loading_info=True, dtype=torch.float32, **named, **drop
        )
        missing = [key for key in info["missing_keys"] if not key.startswith("classifier.")]
    elif config.model_type == "bert":
        shape = {key: getattr(config, key) for key in _COPIED}
        model = ElectraForSequenceClassification._from_config(
            ElectraConfig(embedding_size=config.hidden_size, **shape, **named, **drop), attn_implementation="eager"
        )
        missing = _copy_bert(Path(encoder), model)
    else:
        raise CheckpointError(f"{encoder}: a {config.model_type} encoder. ELECTRA's layout fits ELECTRA and BERT encoders.")
    if missing:
        raise CheckpointError(
            f"{encoder}: {len(missing)} encoder weights are missing, the first {missing[0]}. The folder is not a whole encoder."
        )
    tokenizer.model_max_length = config.max_position_embeddings
    return Start(model, tokenizer, _origin(encoder), _trim(Path(encoder)))


def _origin(encoder: str) -> str:
    weights = Path(encoder) / "model.safetensors"
    if not weights.is_file():
        return encoder
    return f"{Path(encoder).resolve().name}, sha256 {hashlib.sha256(weights.read_bytes()).hexdigest()}"


def _trim(folder: Path) -> dict[str, Any] | None:
    log = folder / "training_log.json"
    found: dict[str, Any] | None = json.loads(log.read_text(encoding="utf-8")).get("trim") if log.is_file() else None
    return found


def _copy_bert(folder: Path, model: ElectraForSequenceClassification) -> list[str]:
    """Copy a BERT encoder's weights into `model`; returns the names that the folder does not have."""
    path = folder / "model.safetensors"
    if not path.is_file():
        raise CheckpointError(f"{folder}: no model.safetensors. A BERT encoder is copied from a local safetensors folder.")
    weights = {f"electra.{key.removeprefix('bert.')}": value for key, value in load_file(path).items()}
    wanted = model.state_dict()
    model.load_state_dict({k: v for k, v in weights.items() if k in wanted and v.shape == wanted[k].shape}, strict=False)
    return [key for key in wanted if key.startswith("electra.") and key not in weights]
