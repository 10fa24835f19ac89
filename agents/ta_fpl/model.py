"""The local preference model: which category a worker chooses next, and which place of the category.

Symbols are those of ``docs/ta_fpl.md``: B examples, d the width, M recent events, L_c events of one category,
C categories, L places, k categories that the gate lets through.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdgym.agents.learning.centres import PublicPlaces
from crowdgym.agents.ta_fpl.examples import Examples
from crowdgym.agents.ta_fpl.memory import Memory
from crowdgym.configs.ta_fpl import TaFplSettings

_INITIAL_SCALE = 0.1  # standard deviation of embeddings
_LEAST_POPULARITY = 0.5  # of a place, as a count
_PRIOR_COUNT = 0.5  # of events of each category, in the shares of a worker's history


class SequenceEncoder(nn.Module):
    """One block of self-attention over a sequence, read at its last position.

    Only the output of the last position is used, so only its query is computed.

    Args:
        length: T, of a sequence.
        settings: width, heads and dropout.
    """

    def __init__(self, length: int, settings: TaFplSettings) -> None:
        super().__init__()
        width = settings.embedding
        self.heads = settings.heads
        self.position = nn.Parameter(_INITIAL_SCALE * torch.randn(length, width))
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, rows: Tensor, present: Tensor) -> Tensor:
        """Encode sequences.

        Args:
            rows: shape [B, T, d].
            present: False for padding, whose rows have no effect. Shape [B, T].

        Returns:
            Zeros for a sequence without a row. Shape [B, d].
        """
        batch, length, width = rows.shape
        rows = rows + self.position
        last = rows[:, -1]  # [B, d]
        split = (batch, length, self.heads, width // self.heads)
        query = self.query(last).view(batch, 1, *split[2:])
        key, value = self.key(rows).view(split), self.value(rows).view(split)
        likeness = (query * key).sum(dim=-1) / split[-1] ** 0.5  # [B, T, heads]
        empty = ~present.any(dim=1)
        hidden = ~present & ~empty.unsqueeze(1)  # all rows of an empty sequence: the result is thrown away
        weight = torch.softmax(likeness.masked_fill(hidden.unsqueeze(-1), -torch.inf), dim=1)
        attended = self.output((weight.unsqueeze(-1) * value).sum(dim=1).reshape(batch, width))
        inner = self.norms[0](last + self.dropout(attended))
        encoded: Tensor = self.norms[1](inner + self.dropout(self.feed_forward(inner)))
        return encoded.masked_fill(empty.unsqueeze(1), 0.0)


class PreferenceModel(nn.Module):
    """Context encoder with top-k gate, in-category encoder, and neighbours from a memory (equations 1 to 11).

    The categories of places are public and fixed: they are no tensor of the state dict.

    Args:
        places: their categories and popularity; the bias of a place begins as its log share in its category, so that a
            place where no worker of a centre has been is not impossible there.
        settings: sizes.
    """

    place_category: Tensor

    def __init__(self, places: PublicPlaces, settings: TaFplSettings) -> None:
        super().__init__()
        width, self.num_categories, self.num_places = settings.embedding, places.num_categories, len(places)
        self.top_categories = min(settings.top_categories, self.num_categories)
        self.neighbours, self.history_share = settings.neighbours, settings.history_share
        self.register_buffer("place_category", torch.from_numpy(places.category), persistent=False)
        self.category_in = _embedding(self.num_categories, width)
        self.place_in = _embedding(self.num_places, width)
        self.category_out = nn.Linear(width, self.num_categories)
        self.share_scale = settings.share_scale
        of_shares = torch.zeros(self.num_categories + 1, self.num_categories, self.num_categories)
        self.of_shares = nn.Parameter(of_shares)  # by the latest category; the last row is for none
        self.place_out = nn.Parameter(_INITIAL_SCALE * torch.randn(self.num_places, width))
        self.place_bias = nn.Parameter(_log_shares(places))
        self.of_categories = SequenceEncoder(settings.recent, settings)
        self.of_places = SequenceEncoder(settings.recent, settings)
        self.within_category = SequenceEncoder(settings.in_category, settings)
        self.combine = nn.Linear(3 * width, width)

    def category_probabilities(self, examples: Examples) -> Tensor:
        """P(c_j) = (1 - eta) softmax_j(h^z e_j + b_j + sigma sum_i (s_i - 1/C) T[z, i, j]) + eta s_j. Shape [B, C].

        Ours are the terms of s_i, the share of category i in the worker's whole history: eta is ``history_share`` and
        sigma ``share_scale``. T says what a worker with a liking for i does after its latest category z. With both at
        0, as in the paper, the model forgets what a worker has liked for longer than M events.
        """
        recent = examples.recent_category
        hidden = self.of_categories(self.category_in(recent), recent < self.num_categories)
        smoothed = examples.counts + _PRIOR_COUNT
        shares = smoothed / smoothed.sum(dim=1, keepdim=True)
        liked = (shares - 1.0 / self.num_categories).unsqueeze(1)  # [B, 1, C]
        after = functional.embedding(recent[:, -1], self.of_shares.flatten(1))  # indexing adds gradients in any order
        meant = (liked @ after.view(-1, self.num_categories, self.num_categories)).squeeze(1)
        logits = self.category_out(hidden) + self.share_scale * meant
        return (1.0 - self.history_share) * torch.softmax(logits, dim=1) + self.history_share * shares

    def in_category(self, examples: Examples, category: Tensor) -> tuple[Tensor, Tensor]:
        """h^c of some categories, and where the worker has been in the category at all.

        Args:
            examples: B of them.
            category: shape [B, k].

        Returns:
            Shapes [B, k, d] and [B, k]. Zeros and False if the encoder sees no event.
        """
        if examples.same_category.shape[-1] == 0:
            width = self.place_in.embedding_dim
            return torch.zeros(*category.shape, width), torch.zeros(category.shape, dtype=torch.bool)
        places = torch.gather(
            examples.same_category, 1, category.unsqueeze(-1).expand(-1, -1, examples.same_category.shape[-1])
        ).flatten(0, 1)  # [B k, L_c]
        present = places < self.num_places
        hidden = self.within_category(self.place_in(places), present)
        return hidden.view(*category.shape, -1), present.any(dim=1).view(category.shape)

    def worker_rows(self, examples: Examples, category: Tensor, in_category: Tensor, memory: Memory) -> Tensor:
        """h_j = W [h^r; h^c_j; h^n_j] + b. ``in_category`` is the first result of `in_category`. Shape [B, k, d]."""
        recent = examples.recent_place
        context = self.of_places(self.place_in(recent), recent < self.num_places)  # [B, d]
        neighbours = memory.read(category, in_category.detach(), examples.worker, self.neighbours)
        rows: Tensor = self.combine(
            torch.cat([context.unsqueeze(1).expand_as(in_category), in_category, neighbours], dim=-1)
        )
        return rows

    def place_logits(self, rows: Tensor, category: Tensor) -> Tensor:
        """h_j e_l + b_l: the logits of P(l | c_j); minus infinity at places of other categories. Shape [B, k, L]."""
        logits = rows @ self.place_out.T + self.place_bias
        return logits.masked_fill(self.place_category != category.unsqueeze(-1), -torch.inf)

    def place_probabilities(self, examples: Examples, memory: Memory) -> Tensor:
        """P(l): the sum of P(c_j) P(l | c_j) over the k likeliest c_j, whose P(c_j) are normalised. Shape [B, L]."""
        best, category = self.category_probabilities(examples).topk(self.top_categories, dim=1)
        hidden, _ = self.in_category(examples, category)
        logits = self.place_logits(self.worker_rows(examples, category, hidden, memory), category)
        there = torch.isfinite(logits)
        within = torch.softmax(torch.where(there.any(-1, keepdim=True), logits, 0.0), dim=-1) * there
        share = best / best.sum(dim=1, keepdim=True)
        return (share.unsqueeze(-1) * within).sum(dim=1)


def _embedding(count: int, width: int) -> nn.Embedding:
    """An embedding of ``count`` things and of padding, which stays zero."""
    table = nn.Embedding(count + 1, width, padding_idx=count)
    with torch.no_grad():
        table.weight[:count] *= _INITIAL_SCALE
    return table


def _log_shares(places: PublicPlaces) -> Tensor:
    """The log of each place's share of the popularity of its category. Shape [L]."""
    popularity = np.maximum(places.popularity, _LEAST_POPULARITY)
    total = np.bincount(places.category, popularity, places.num_categories)
    return torch.from_numpy(np.log(popularity / total[places.category]).astype(np.float32))


def initial_parameters(places: PublicPlaces, settings: TaFplSettings, seed: int) -> dict[str, Tensor]:
    """The parameters of a model that has learnt nothing, by name."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PreferenceModel(places, settings).state_dict()
