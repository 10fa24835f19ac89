"""Actor and critic: attention over the sets of an observation (CAFE paper, section 4.2 and figure 3).

"The actor network employs four Multi-Head Attention layers to process the observation, followed by an MLP to integrate
the outputs of the MHA layers, and finally uses a softmax function to output the action. The critic network has a
similar architecture." The paper says no more. Here there is one attention layer for each set that has several rows
(``T_near``, ``W_near``, ``W_idle``, ``T_optional``: four), in which the agent itself is the query. The score of each
candidate is computed from its own row and the output of the MLP. So the order of rows in a set does not matter, and the
same weights work for sets of any size.

Shapes: M observations, F numbers each; R rows of a set, D numbers each; H heads; A actions.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from crowdgym.common.layout import ObservationSet
from crowdgym.configs.learning import RolloutSettings

_NEVER = -1e9  # a score whose softmax is 0
WIDEST = 5.0  # standardised features are clipped here


class Scaling(nn.Module):
    """Splits observations into sets, and scales each feature to mean 0 and deviation 1 on the observations of `fit`.

    The scale of a feature is the same in all rows of its set, and is computed from rows that are not empty.
    """

    def __init__(self, sets: Sequence[ObservationSet]) -> None:
        super().__init__()
        self.sets = tuple(sets)
        for part in self.sets:
            self.register_buffer(f"mean_{part.name}", torch.zeros(len(part.features)))
            self.register_buffer(f"deviation_{part.name}", torch.ones(len(part.features)))

    def fit(self, observations: Tensor) -> None:
        """Compute means and deviations from observations, [M, F]."""
        for part in self.sets:
            rows, present = _taken_apart(observations, part)
            if not present.any():
                continue
            deviation, mean = torch.std_mean(rows[present].double(), dim=0, correction=0)
            self.get_buffer(f"mean_{part.name}").copy_(mean)
            self.get_buffer(f"deviation_{part.name}").copy_(torch.where(deviation > 1e-4, deviation, 1.0))

    def forward(self, observations: Tensor) -> list[tuple[Tensor, Tensor]]:
        """For each set its rows, [M, R, features], zeros if empty, and whether each row is present, [M, R]."""
        found, buffers = [], self._buffers
        for part in self.sets:
            rows, present = _taken_apart(observations, part)
            mean, deviation = (cast(Tensor, buffers[f"{of}_{part.name}"]) for of in ("mean", "deviation"))
            scaled = ((rows - mean) / deviation).clamp(-WIDEST, WIDEST)
            found.append((scaled * present.unsqueeze(-1) if part.may_be_empty else scaled, present))
        return found


def _taken_apart(observations: Tensor, part: ObservationSet) -> tuple[Tensor, Tensor]:
    rows: Tensor = part.take(observations)
    present = rows[:, :, 0] > 0 if part.may_be_empty else torch.ones_like(rows[:, :, 0], dtype=torch.bool)
    return rows, present


class SetAttention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017) with one query: the agent attends to the rows of a set.

    Keys and values are linear in the rows. So the key matrix is applied to the query, and the value matrix to the
    weighted mean of the rows: the same result as in the usual order of multiplications, with a fifth of the work.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # a bias would shift all scores alike
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, query: Tensor, rows: Tensor, present: Tensor) -> Tensor:
        """Map the agent, [M, D], and rows, [M, R, D], to [M, D]; rows that are not ``present``, [M, R], are ignored.

        For an empty set, attention gives zeros to the next layer.
        """
        split = (self.heads, query.shape[1] // self.heads)
        asked = self.query(query).reshape(-1, *split) / split[1] ** 0.5  # [M, H, D / H]
        keys = self.key.weight.reshape(*split, -1)  # [H, D / H, D]
        scores = torch.bmm(asked.transpose(0, 1), keys).transpose(0, 1) @ rows.transpose(1, 2)  # [M, H, R]
        there = present.unsqueeze(1)
        weights = scores.masked_fill(~there, _NEVER).softmax(dim=2) * there
        values = self.value.weight.reshape(*split, -1).transpose(1, 2)  # [H, D, D / H]
        heard = torch.bmm((weights @ rows).transpose(0, 1), values).transpose(0, 1).flatten(1)  # [M, D]
        return cast(Tensor, self.out(heard + self.value.bias * present.any(1, keepdim=True)))


class AttentionTrunk(nn.Module):
    """Maps an observation to a context, [M, hidden], and the embedded rows of each set."""

    def __init__(self, sets: Sequence[ObservationSet], settings: RolloutSettings) -> None:
        super().__init__()
        width = settings.embedding
        self.scaling = Scaling(sets)
        self.own = [i for i, part in enumerate(sets) if part.rows == 1 and part.name != settings.action_set]
        self.others = {part.name: i for i, part in enumerate(sets) if i not in self.own}
        own_width = sum(len(sets[i].features) for i in self.own)
        self.embed_own = nn.Linear(own_width, width)
        self.embed = nn.ModuleDict({name: nn.Linear(len(sets[i].features), width) for name, i in self.others.items()})
        self.attention = nn.ModuleDict({name: SetAttention(width, settings.heads) for name in self.others})
        self.mlp = _mlp(width * (1 + len(self.others)), settings.hidden)

    def forward(self, observations: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """See the class."""
        found = self.scaling(observations)
        own = self.embed_own(torch.cat([found[i][0].flatten(1) for i in self.own], dim=1)).relu()
        embedded, parts = {}, [own]
        for name, i in self.others.items():
            rows, present = found[i]
            embedded[name] = self.embed[name](rows).relu()
            parts.append(self.attention[name](own, embedded[name], present))
        return self.mlp(torch.cat(parts, dim=1)), embedded


class FlatTrunk(nn.Module):
    """The plain variant: an MLP on the whole observation as one row."""

    def __init__(self, sets: Sequence[ObservationSet], settings: RolloutSettings) -> None:
        super().__init__()
        self.scaling = Scaling(sets)
        self.mlp = _mlp(sum(part.rows * len(part.features) for part in sets), settings.hidden)

    def forward(self, observations: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """See `AttentionTrunk`; there are no embedded rows."""
        flat = torch.cat([rows.flatten(1) for rows, _ in self.scaling(observations)], dim=1)
        return self.mlp(flat), {}


class Actor(nn.Module):
    """The policy: maps observations, [M, F], and masks, [M, A], to the logarithms of probabilities, [M, A]."""

    def __init__(self, sets: Sequence[ObservationSet], num_actions: int, settings: RolloutSettings) -> None:
        super().__init__()
        self.trunk: AttentionTrunk | FlatTrunk = _trunk(sets, settings)
        rows = {part.name: part.rows for part in sets}.get(settings.action_set or "")
        points = settings.network == "attention" and rows in (num_actions - 1, num_actions)
        self.action_set = settings.action_set if points else None
        self.first_action = num_actions - rows if points and rows is not None else 0  # of those that choose a row
        last: list[nn.Linear] = []
        if self.action_set is not None:
            self.of_candidate = nn.Linear(settings.embedding, settings.hidden, bias=False)
            self.of_context = nn.Linear(settings.hidden, settings.hidden)
            self.score = nn.Linear(settings.hidden, 1)
            last.append(self.score)
        if self.action_set is None or self.first_action:
            self.head = nn.Linear(settings.hidden, 1 if points else num_actions)
            last.append(self.head)
        _initialise(self)
        for layer in reversed(last):
            nn.init.orthogonal_(layer.weight, 0.01)  # at first all legal actions are about equally likely

    def forward(self, observations: Tensor, masks: Tensor) -> Tensor:
        """Masked actions have a probability of exactly 0."""
        context, embedded = self.trunk(observations)
        if self.action_set is None:
            scores = self.head(context)
        else:
            mixed = self.of_candidate(embedded[self.action_set]) + self.of_context(context).unsqueeze(1)
            scores = self.score(mixed.relu()).squeeze(2)  # [M, R]
            if self.first_action:
                scores = torch.cat([self.head(context), scores], dim=1)  # of holding, and of the rows
        return log_policy(scores, masks)


def log_policy(scores: Tensor, masks: Tensor) -> Tensor:
    """The logarithms of probabilities, [M, A], from scores, [M, A]; masked actions have a probability of exactly 0."""
    return scores.masked_fill(~masks, -torch.inf).log_softmax(dim=1)


class Critic(nn.Module):
    """The value of an agent's observation, [M, K]: a number for each term of the reward, in standard deviations.

    See `crowdgym.agents.learning.learner.ValueNormaliser`.
    """

    def __init__(self, sets: Sequence[ObservationSet], settings: RolloutSettings, num_terms: int = 1) -> None:
        super().__init__()
        self.trunk: AttentionTrunk | FlatTrunk = _trunk(sets, settings)
        self.head = nn.Linear(settings.hidden, num_terms)
        _initialise(self)
        nn.init.orthogonal_(self.head.weight, 1.0)

    def forward(self, observations: Tensor) -> Tensor:
        """From observations, [M, F]."""
        context, _ = self.trunk(observations)
        return cast(Tensor, self.head(context))


def scaling_of(network: nn.Module) -> Scaling:
    """The scaling of an `Actor` or a `Critic`."""
    return cast(Actor | Critic, network).trunk.scaling


def _trunk(sets: Sequence[ObservationSet], settings: RolloutSettings) -> AttentionTrunk | FlatTrunk:
    return AttentionTrunk(sets, settings) if settings.network == "attention" else FlatTrunk(sets, settings)


def _mlp(wide: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(wide, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())


def _initialise(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.orthogonal_(layer.weight, 2**0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
