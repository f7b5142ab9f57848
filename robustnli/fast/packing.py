"""Rows of tokens one behind the other: `Packed`.

What `pack` makes is filled up to one of a few sizes. oneDNN compiles its products for each number of rows anew, a dozen for a model and size,
and that takes longer than to multiply a short pair: nobody types two pairs of one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows one behind the other. Each tensor is (tokens,); a group is (first token, rows, length): rows of one length.

    Where it is `filled`, tokens of no row may follow the last, and [CLS] of no row: what is computed of them is 0 or not read.
    """

    ids: Tensor
    types: Tensor
    positions: Tensor
    groups: tuple[tuple[int, int, int], ...]
    filled: bool = False

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(rows for _, rows, _ in self.groups)

    @property
    def tokens(self) -> int:
        """How many tokens the rows have."""
        start, rows, length = self.groups[-1]
        return start + rows * length

    @property
    def firsts(self) -> Tensor:
        """The token number of each row's [CLS]; of what fills up, 0."""
        found = torch.cat([torch.arange(start, start + rows * length, length) for start, rows, length in self.groups])
        return torch.nn.functional.pad(found, (0, filled_up(len(found)) - len(found))) if self.filled else found

    def head(self, groups: int) -> Packed:
        """The first `groups` groups. Where this is filled, so are they, if with tokens of the next."""
        start, rows, length = self.groups[groups - 1]
        end = start + rows * length
        end = filled_up(end) if self.filled else end
        return Packed(self.ids[:end], self.types[:end], self.positions[:end], self.groups[:groups], self.filled)


def filled_up(count: int) -> int:
    """The next of the few sizes: every eighth up to 128, every sixteenth up to 256, then every thirty-second."""
    step = 8 if count <= 128 else 16 if count <= 256 else 32
    return -(-count // step) * step


def pack(ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]], apart: int = 0) -> Packed:
    """`Packed`, filled up, of rows given in the order in which they shall lie; neighbours of one length become a group.

    The first `apart` rows share no group with the others.
    """
    groups: list[tuple[int, int, int]] = []
    end = 0
    for number, row in enumerate(ids):
        if groups and groups[-1][2] == len(row) and number != apart:
            start, rows, length = groups[-1]
            groups[-1] = (start, rows + 1, length)
        else:
            groups.append((end, 1, len(row)))
        end += len(row)
    filler = [0] * (filled_up(end) - end)
    flat_ids, flat_types, positions = (
        torch.tensor([i for row in rows for i in row] + filler) for rows in (ids, types, [range(len(row)) for row in ids])
    )
    return Packed(flat_ids, flat_types, positions, tuple(groups), filled=True)


def same_length(ids: Tensor, types: Tensor | None) -> Packed:
    """`Packed` of rows of one length: (rows, length). Without types all are of the first."""
    rows, length = ids.shape
    flat = torch.zeros(rows * length, dtype=torch.long) if types is None else types.flatten()
    return Packed(ids.flatten(), flat, torch.arange(length).repeat(rows), ((0, rows, length),))
