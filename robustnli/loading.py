"""Open a checkpoint's files. `light` reads plain BERT- and ELECTRA-shaped folders without transformers, whose import and construction
cost seconds; whatever is not wholly ordinary goes to `whole`, transformers' own way, which also tells what is wrong with it.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from robustnli.errors import CheckpointError
from robustnli.fast import Lean, expected, lean
from robustnli.types import Checkpoint

# transformers imports its parts when they are first asked for; two threads that ask at once find it half imported.
LOADING = threading.RLock()
_SIZE = re.compile(r"(size|heads|layers?|dim|positions|position_embeddings|hidden_groups|embd|head)$")
_MAX_HEADER = 100 << 20  # bytes: safetensors' own limit
_BERT_TOKENIZERS = {f"{kind}Tokenizer{fast}" for kind in ("Bert", "Electra") for fast in ("", "Fast")}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a model is made of. `network` opens transformers' own network; `tokenizer` is one of the `tokenizers` package."""

    config: dict[str, Any]
    tokenizer: Any
    mask_id: int
    lean: Lean | None
    network: Callable[[], Any]

    @property
    def max_length(self) -> int:
        """The longest row that the model reads, in tokens."""
        positions = self.config.get("max_position_embeddings", 512)
        if self.config.get("model_type") in ("roberta", "xlm-roberta", "camembert"):
            positions -= 2  # the first two positions are never used
        return max(8, min(int(positions), 512))


def of_network(network: Any, tokenizer: Any) -> Parts:
    """The parts of a network and a tokenizer of transformers that are in memory already."""
    network.eval().requires_grad_(False)
    config = network.config.to_dict()
    return Parts(config, tokenizer.backend_tokenizer, tokenizer.mask_token_id, lean(config, network.state_dict()), lambda: network)


def refuse_sizes(checkpoint: Checkpoint) -> None:
    """Raises CheckpointError where config.json speaks of a network that its weights cannot be: to build that could take all memory."""
    folder = Path(checkpoint.path)
    with (folder / "model.safetensors").open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length)) if length <= _MAX_HEADER else {}
    shapes = [about["shape"] for name, about in header.items() if name != "__metadata__"]
    widest = max((n for shape in shapes for n in shape), default=0)
    for key, value in _json(folder / "config.json").items():
        if isinstance(value, int) and (kind := _SIZE.search(key)):
            most = max(len(shapes), 100) if "layer" in kind[0] else 1 << 16 if "position" in kind[0] else max(widest, 4096)
            if value > most:
                raise CheckpointError(
                    f"checkpoint {checkpoint.name!r}: config.json says {key} {value}, and the weights have no room for that. Copy both from one training."
                )


def light(checkpoint: Checkpoint) -> Parts | None:
    """The parts of a local folder that is ordinary in every way, read without transformers; else None."""
    folder = Path(checkpoint.path)
    if any((folder / name).exists() for name in ("added_tokens.json", "special_tokens_map.json", "adapter_config.json")):
        return None
    try:
        config, settings, spec = (_json(folder / f"{name}.json") for name in ("config", "tokenizer_config", "tokenizer"))
        if "quantization_config" in config or not _ordinary(settings, spec):
            return None
        return _light(folder, config, settings, checkpoint)
    except Exception:  # whatever it is, `whole` will meet it too and name it
        return None


def _ordinary(settings: dict[str, Any], spec: dict[str, Any]) -> bool:
    """Whether transformers would make of these files the very tokenizer that tokenizer.json describes."""
    normal, wanted = spec["normalizer"], settings
    return (
        settings["tokenizer_class"] in _BERT_TOKENIZERS
        and (spec["model"]["type"], spec["pre_tokenizer"]["type"], normal["type"]) == ("WordPiece", "BertPreTokenizer", "BertNormalizer")
        and normal["clean_text"]
        and normal["lowercase"] == wanted.get("do_lower_case", True)
        and normal["strip_accents"] == wanted.get("strip_accents")
        and normal["handle_chinese_chars"] == wanted.get("tokenize_chinese_chars", True)
    )


def _light(folder: Path, config: dict[str, Any], settings: dict[str, Any], checkpoint: Checkpoint) -> Parts | None:
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    mask_id = tokenizer.token_to_id(settings["mask_token"])
    weights = load_file(folder / "model.safetensors")
    shapes = expected(config)
    if mask_id is None or any(weights[name].shape != shape for name, shape in shapes.items()):
        return None
    if tokenizer.get_vocab_size() > config["vocab_size"] or not _finite(weights):
        return None
    made = lean(config, weights)
    return Parts(config, tokenizer, mask_id, made, lambda: whole(checkpoint, local=True)[1]) if made else None


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def whole(checkpoint: Checkpoint, *, local: bool) -> tuple[Any, Any]:
    """transformers' own tokenizer and network of a folder or hub id, checked. `local`: the network may not be asked."""
    with LOADING:
        from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        options: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
        config = AutoConfig.from_pretrained(checkpoint.path, **options)
        tokenizer = AutoTokenizer.from_pretrained(checkpoint.path, **options)
        network, info = AutoModelForSequenceClassification.from_pretrained(
            checkpoint.path,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            attn_implementation="eager",
            output_loading_info=True,
            **options,
        )
        _refuse(network, tokenizer, info, checkpoint.name)
        network.eval().requires_grad_(False)
        return tokenizer, network


def _refuse(network: Any, tokenizer: Any, info: dict[str, Any], name: str) -> None:
    if info["missing_keys"]:
        missing = sorted(info["missing_keys"])
        raise CheckpointError(
            f"checkpoint {name!r}: {len(missing)} weights are missing ({missing[0]}, ...). It is a bare encoder or half a copy: fine-tune it on NLI first."
        )
    if tokenizer.mask_token_id is None:
        raise CheckpointError(f"checkpoint {name!r}: its tokenizer has no mask token, so no word can be masked.")
    size = network.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > size:
        raise CheckpointError(
            f"checkpoint {name!r}: the tokenizer does not fit: it has {len(tokenizer):,} entries, the model {size:,}. Copy both from one training."
        )
    for key, weight in network.state_dict().items():
        if not _finite({key: weight}):
            raise CheckpointError(
                f"checkpoint {name!r}: weight {key} holds NaN or infinity. Its training diverged, or the file is damaged."
            )


def _finite(weights: dict[str, torch.Tensor]) -> bool:
    """Whether each float weight is finite throughout; summed in float32, so that half precision does not overflow."""
    return all(math.isfinite(float(w.sum(dtype=torch.float32))) for w in weights.values() if w.is_floating_point())
