"""The input-format audit: the same pairs, given to a model as a careless pipeline would give them.

`transformers.pipeline` reads a (premise, hypothesis) tuple as the premise alone, and a user who joins the sentences himself
gets one segment instead of two. Neither raises an error, and both make a good model look bad.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from robustnli.models import Encoding, NLIModel
from robustnli.types import Pair, Prediction


def as_one_string(encoding: Encoding) -> Encoding:
    """ "premise [SEP] hypothesis" typed as one text: the same pieces, every segment id 0."""
    return Encoding(encoding.ids, (0,) * len(encoding.ids), encoding.segments, encoding.starts)


def premise_only(encoding: Encoding) -> Encoding:
    """[CLS] premise [SEP]."""
    end = encoding.segments.index(1) if 1 in encoding.segments else len(encoding.ids)
    return _rows(encoding, range(end))


def hypothesis_only(encoding: Encoding) -> Encoding:
    """[CLS] hypothesis [SEP], as a first segment."""
    start = encoding.segments.index(1) if 1 in encoding.segments else len(encoding.ids) - 1
    return as_one_string(_rows(encoding, [0, *range(start, len(encoding.ids))]))


FORMS: dict[str, Callable[[Encoding], Encoding]] = {
    "two segments": lambda encoding: encoding,
    "one string": as_one_string,
    "premise only": premise_only,
    "hypothesis only": hypothesis_only,
}


def audit(model: NLIModel, pairs: Sequence[Pair]) -> dict[str, list[Prediction]]:
    """Each form's name -> the model's predictions of the pairs in that form."""
    encodings = model.encode(pairs)
    return {name: model.predict_encoded([form(e) for e in encodings]) for name, form in FORMS.items()}


def _rows(encoding: Encoding, keep: Sequence[int]) -> Encoding:
    return Encoding(*(tuple(column[i] for i in keep) for column in (encoding.ids, encoding.types, encoding.segments, encoding.starts)))
