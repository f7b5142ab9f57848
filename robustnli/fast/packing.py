"""Rows of tokens one behind the other: `Packed`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows one behind the other. Each tensor is (tokens,); a group is (first token, rows, length): rows of one length."""

    ids: Tensor
    types: Tensor
    positions: Tensor
    groups: tuple[tuple[int, int, int], ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(rows for _, rows, _ in self.groups)

    @property
    def firsts(self) -> Tensor:
        """The token number of each row's [CLS]."""
        return torch.cat([torch.arange(start, start + rows * length, length) for start, rows, length in self.groups])

    def head(self, groups: int) -> Packed:
        """The first `groups` groups."""
        start, rows, length = self.groups[groups - 1]
        end = start + rows * length
        return Packed(self.ids[:end], self.types[:end], self.positions[:end], self.groups[:groups])


def pack(ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]], apart: int = 0) -> Packed:
    """`Packed` of rows given in the order in which they shall lie; neighbours of one length become a group.

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
    positions = torch.cat([torch.arange(length).repeat(rows) for _, rows, length in groups])
    flat_ids, flat_types = (torch.tensor([i for row in rows for i in row]) for rows in (ids, types))
    return Packed(flat_ids, flat_types, positions, tuple(groups))


def same_length(ids: Tensor, types: Tensor | None) -> Packed:
    """`Packed` of rows of one length: (rows, length). Without types all are of the first."""
    rows, length = ids.shape
    flat = torch.zeros(rows * length, dtype=torch.long) if types is None else types.flatten()
    return Packed(ids.flatten(), flat, torch.arange(length).repeat(rows), ((0, rows, length),))
