"""What everybody would write, and the paper's own loop: one pair after the other, on transformers' own network."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch

from robustnli.models import Encoding, NLIModel
from robustnli.types import Example, Label, Pair

PADDED = 128  # the paper's length


class Naive:
    """The paper's loop (sections 4.1 to 4.4): padded to 128, gradients of every weight, `retain_grad` at the embeddings, predict again."""

    def __init__(self, model: NLIModel):
        self.network = copy.deepcopy(model.network).requires_grad_(True)
        self.network.set_attn_implementation("sdpa")  # what transformers takes by default
        self.model, self.order = model, list(model.order)

    def inputs(self, encoding: Encoding) -> dict[str, torch.Tensor]:
        """Padded tensors."""
        more = max(0, PADDED - len(encoding.ids))
        ids, types = [*encoding.ids, *[0] * more], [*encoding.types, *[0] * more]
        mask = [1] * len(encoding.ids) + [0] * more
        return {name: torch.tensor([row]) for name, row in (("input_ids", ids), ("token_type_ids", types), ("attention_mask", mask))}

    def attack(self, item: Example) -> tuple[Label, tuple[int, int] | None, Label]:
        """The label before, the hypothesis word with the largest gradient (None: it has no word), the label with that word masked."""
        (encoding,) = self.model.encode([item.pair])
        inputs = self.inputs(encoding)
        before, scores = self._gradient(inputs, item.label)
        words: dict[tuple[int, int], list[int]] = {}
        for token, (segment, span) in enumerate(self.model.word_of_token(item.pair, encoding)):
            if segment == 1 and span is not None:
                words.setdefault(span, []).append(token)
        if not words:
            return before, None, before
        best = max(words, key=lambda span: sum(scores[i] for i in words[span]))
        inputs["input_ids"][0, words[best]] = self.model.mask_id
        with torch.no_grad():
            after = self.network(**inputs).logits[:, self.order]
        return before, best, Label(int(after.argmax()))

    def _gradient(self, inputs: dict[str, torch.Tensor], label: Label) -> tuple[Label, list[float]]:
        kept: list[torch.Tensor] = []
        handle = self.network.get_input_embeddings().register_forward_hook(lambda module, given, out: kept.append(out))
        try:
            logits = self.network(**inputs).logits[:, self.order]
        finally:
            handle.remove()
        kept[0].retain_grad()
        self.network.zero_grad()
        torch.nn.functional.cross_entropy(logits, torch.tensor([int(label)])).backward()
        assert kept[0].grad is not None
        return Label(int(logits.argmax())), kept[0].grad[0].abs().sum(-1).tolist()

    def step(self, items: Sequence[Example], optimizer: torch.optim.Optimizer) -> None:
        """A training step in float32, padded to 128."""
        rows = [self.inputs(encoding) for encoding in self.model.encode([item.pair for item in items])]
        inputs = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
        loss = torch.nn.functional.cross_entropy(self.network(**inputs).logits[:, self.order], torch.tensor([int(i.label) for i in items]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def captum_saliency(model: NLIModel, items: Sequence[Example]) -> list[list[float]]:
    """Captum's Saliency of the loss on each pair, one by one, not padded: a score a token."""
    from captum.attr import Saliency

    network, order, out = model.network, list(model.order), []

    def loss(embeds: torch.Tensor, label: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        logits = network(inputs_embeds=embeds, token_type_ids=types).logits[:, order]
        return torch.nn.functional.cross_entropy(logits, label, reduction="none")

    for item in items:
        inputs = model.tensors(model.encode([item.pair]))
        embeds = network.get_input_embeddings()(inputs["input_ids"]).detach().requires_grad_()
        extra = (torch.tensor([int(item.label)]), inputs["token_type_ids"])
        out.append(Saliency(loss).attribute(embeds, additional_forward_args=extra).sum(-1)[0].tolist())
    return out


def pipeline_of(model: NLIModel) -> Any:
    """transformers' text-classification pipeline on the same weights."""
    import tokenizers
    import transformers

    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(model.parts.tokenizer.to_str()),
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    return transformers.pipeline(
        "text-classification", model=model.network, tokenizer=tokenizer, device=torch.device("cpu"), framework="pt"
    )


def pipeline_labels(pipeline: Any, pairs: Sequence[Pair]) -> list[Label]:
    """The pipeline's label of each pair, one by one."""
    said = [pipeline({"text": pair.premise, "text_pair": pair.hypothesis}) for pair in pairs]
    return [Label[(one[0] if isinstance(one, list) else one)["label"].upper()] for one in said]
