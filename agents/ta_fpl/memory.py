"""The memory of neighbours: what workers of the same centre lately did in each category."""

import torch
from torch import Tensor

NOT_WRITTEN = -1  # owner of a row


class Memory:
    """A queue of F rows for each of C categories.

    It holds representations of single workers. It is therefore no part of the model: no state dict has it, and it
    never leaves the centre. It begins empty (the paper's begins with random rows, which would be attended to).

    Args:
        num_categories: C.
        num_rows: F.
        width: d, of a row.
    """

    def __init__(self, num_categories: int, num_rows: int, width: int) -> None:
        self.rows = torch.zeros(num_categories, num_rows, width)
        self.owner = torch.full((num_categories, num_rows), NOT_WRITTEN)
        self._next = [0] * num_categories

    def read(self, category: Tensor, query: Tensor, worker: Tensor, neighbours: int) -> Tensor:
        """The weighted mean of the rows most like a query, of other workers.

        Args:
            category: shape [B, k].
            query: shape [B, k, d].
            worker: whose own rows are left out. Shape [B].
            neighbours: f, the most rows that count.

        Returns:
            Zeros where there is no row to read. Shape [B, k, d].
        """
        rows, owner = self.rows[category], self.owner[category]  # [B, k, F, d], [B, k, F]
        hidden = (owner == NOT_WRITTEN) | (owner == worker[:, None, None])
        likeness = (rows @ query.unsqueeze(-1)).squeeze(-1) / query.shape[-1] ** 0.5  # [B, k, F]
        likeness = likeness.masked_fill(hidden, -torch.inf)
        best, index = likeness.topk(min(neighbours, likeness.shape[-1]), dim=-1)  # [B, k, f]
        nothing = (best == -torch.inf).all(dim=-1, keepdim=True)
        weight = torch.softmax(best.masked_fill(nothing, 0.0), dim=-1).masked_fill(nothing, 0.0)
        chosen = torch.gather(rows, 2, index.unsqueeze(-1).expand(*index.shape, rows.shape[-1]))  # [B, k, f, d]
        return (weight.unsqueeze(-1) * chosen).sum(dim=2)

    def write(self, category: Tensor, row: Tensor, worker: Tensor) -> None:
        """Append rows in order; each takes the place of the oldest of its category.

        Args:
            category: shape [B].
            row: its gradient is not followed. Shape [B, d].
            worker: shape [B].
        """
        row = row.detach()
        for i, (kind, owner) in enumerate(zip(category.tolist(), worker.tolist(), strict=True)):
            place = self._next[kind]
            self.rows[kind, place] = row[i]
            self.owner[kind, place] = owner
            self._next[kind] = (place + 1) % self.rows.shape[1]
