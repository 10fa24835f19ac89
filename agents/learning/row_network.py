"""The actor's network as compiled loops, for play.

A pass of torch takes about a millisecond however few agents decide, and at most epochs few do; in turn it is one. Here
a row costs what its arithmetic costs, some twenty microseconds. The results are those of
`crowdgym.agents.learning.networks` up to rounding, and a row's result does not depend on the other rows.

Shapes: M observations, F numbers each; S sets that attention reads, of at most N features; D numbers an embedded row; H
heads; W hidden; A actions.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from crowdgym.agents.learning.networks import WIDEST, Actor, AttentionTrunk, Scaling, SetAttention
from crowdgym.common.jit import inlined, jit

Singles = NDArray[np.float32]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]
LogPolicy = Callable[[Singles, Flags], Singles]  # from observations, [M, F], and masks, [M, A], to logarithms, [M, A]


class Layer(NamedTuple):
    """A linear layer.

    Attributes:
        weight: shape [inputs, outputs].
        bias: shape [outputs].
    """

    weight: Singles
    bias: Singles


class Numbers(NamedTuple):
    """The numbers of an observation that are read as they are, N of them.

    Attributes:
        place: in the observation.
        present: the place of the number that says whether their row is there; -1 where it always is.
        mean, deviation: of the scaling.
    """

    place: Places
    present: Places
    mean: Singles
    deviation: Singles


class Sets(NamedTuple):
    """The sets that attention reads.

    Attributes:
        start, rows, features: of each set; see `ObservationSet`. Shape [S].
        may_be_empty: whether the first feature says if a row is there. Shape [S].
        mean, deviation: of the scaling; 0 and 1 behind the last feature. Shape [S, N].
        embed: from features to an embedded row; weights [S, N, D] and biases [S, D].
        query: weights [S, D, D], biases [S, D].
        key: of each head, from its part of the query. Shape [S, H, D / H, D].
        value: of each head; weights [S, H, D, D / H], biases [S, D].
        out: weights [S, D, D], biases [S, D].
    """

    start: Places
    rows: Places
    features: Places
    may_be_empty: Flags
    mean: Singles
    deviation: Singles
    embed: Layer
    query: Layer
    key: Singles
    value: Layer
    out: Layer


class Weights(NamedTuple):
    """All weights of an `Actor`.

    Attributes:
        own: the agent's own numbers; without attention, all numbers.
        embed_own: their embedding; without attention there is none, and it has no outputs.
        sets: the sets, in order.
        candidates: which of the sets actions choose from; -1 if they are no members of a set.
        first: the first action that chooses from it: 1, or 0 if all do.
        mix, mix_again: the MLP.
        head: from the context to the score of action 0; to those of all actions if ``candidates`` is -1, to none if
            ``first`` is 0.
        of_candidate, of_context: the hidden layer of the candidates' scores; the former has a bias of 0.
        score: its last layer.
    """

    own: Numbers
    embed_own: Layer
    sets: Sets
    candidates: int
    first: int
    mix: Layer
    mix_again: Layer
    head: Layer
    of_candidate: Layer
    of_context: Layer
    score: Layer


_SCALES = ("mean", "deviation")
_WORTH_A_THREAD = 32  # observations that take longer than to start one


def by_rows(actor: nn.Module) -> LogPolicy | None:
    """The actor's present weights as compiled loops; None for a network of another class."""
    if not isinstance(actor, Actor):
        return None
    weights = _weights(actor)

    def log_policy(observations: Singles, masks: Flags) -> Singles:
        # Copies, so that there is one kind of array to compile for.
        seen, legal = np.array(observations, np.float32, order="C"), np.array(masks, order="C")
        middle = len(seen) // 2
        if torch.get_num_threads() < 2 or middle < _WORTH_A_THREAD:
            return log_probabilities(weights, seen, legal)
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(log_probabilities, weights, seen[middle:], legal[middle:])
            return np.concatenate([log_probabilities(weights, seen[:middle], legal[:middle]), second.result()])

    return log_policy


@jit
def log_probabilities(weights: Weights, observations: Singles, masks: Flags) -> Singles:
    """Logarithms of the probabilities of all actions, [M, A]; -inf for masked ones."""
    found = np.full(masks.shape, -np.inf, np.float32)
    for row in range(len(observations)):
        _score(weights, observations[row], masks[row], found[row])
        _normalise(found[row])
    return found


@jit
def _score(weights: Weights, seen: Singles, mask: Flags, scores: Singles) -> None:
    """The scores of the legal actions of one agent."""
    sets, width = weights.sets, weights.embed_own.bias.size
    parts = np.zeros(weights.mix.weight.shape[0], np.float32)
    own = _own(weights, seen)
    parts[: len(own)] = own
    candidates = np.zeros((0, width), np.float32)
    for which in range(len(sets.start)):
        embedded = _embedded(sets, which, seen)
        if which == weights.candidates:
            candidates = embedded
        _attend(sets, which, seen, own, embedded, parts[(which + 1) * width : (which + 2) * width])
    context = _through(weights.mix_again, _through(weights.mix, parts, True), True)
    of_actions = _through(weights.head, context, False)
    for action in range(len(of_actions)):
        if mask[action]:
            scores[action] = of_actions[action]
    shared = _through(weights.of_context, context, False)
    for option in range(len(candidates)):
        if mask[option + weights.first]:
            hidden = shared.copy()
            _add_product(hidden, candidates[option], weights.of_candidate.weight)
            _cut(hidden)
            scores[option + weights.first] = _through(weights.score, hidden, False)[0]


@jit
def _own(weights: Weights, seen: Singles) -> Singles:
    """The embedding of the agent itself, [D]; without attention, all scaled numbers."""
    own = weights.own
    scaled = np.zeros(len(own.place), np.float32)
    for i in range(len(scaled)):
        if own.present[i] < 0 or seen[own.present[i]] > 0:
            scaled[i] = _scaled(seen[own.place[i]], own.mean[i], own.deviation[i])
    return _through(weights.embed_own, scaled, True) if weights.embed_own.bias.size else scaled


@jit
def _embedded(sets: Sets, which: int, seen: Singles) -> Singles:
    """The embedded rows of a set, [rows, D]. Of a row that is not there, the embedding of zeros."""
    features = sets.features[which]
    embedded = np.zeros((sets.rows[which], sets.embed.bias.shape[1]), np.float32)
    scaled = np.zeros(features, np.float32)
    for row in range(len(embedded)):
        begin = sets.start[which] + row * features
        embedded[row] = sets.embed.bias[which]
        if not sets.may_be_empty[which] or seen[begin] > 0:
            for i in range(features):
                scaled[i] = _scaled(seen[begin + i], sets.mean[which, i], sets.deviation[which, i])
            _add_product(embedded[row], scaled, sets.embed.weight[which])
        _cut(embedded[row])
    return embedded


@jit
def _attend(sets: Sets, which: int, seen: Singles, own: Singles, embedded: Singles, found: Singles) -> None:
    """What the agent hears of the rows of a set that are there, into ``found``, [D]."""
    found[:] = sets.out.bias[which]
    count, features = len(embedded), sets.features[which]
    there = np.zeros(count, np.bool_)
    for row in range(count):
        there[row] = not sets.may_be_empty[which] or seen[sets.start[which] + row * features] > 0
    if not there.any():
        return
    heads, part, width = sets.key.shape[1], sets.key.shape[2], sets.key.shape[3]
    asked = sets.query.bias[which].copy()
    _add_product(asked, own, sets.query.weight[which])
    heard = sets.value.bias[which].copy()
    key, mean, weights = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(count, np.float32)
    for head in range(heads):
        key[:] = 0.0
        _add_product(key, asked[head * part : (head + 1) * part] / np.float32(part**0.5), sets.key[which, head])
        for row in range(count):
            weights[row] = np.sum(key * embedded[row]) if there[row] else -np.inf
        weights[:] = np.exp(weights - weights.max())
        weights /= weights.sum()
        mean[:] = 0.0
        for row in range(count):
            if there[row]:
                mean += weights[row] * embedded[row]
        _add_product(heard[head * part : (head + 1) * part], mean, sets.value.weight[which, head])
    _add_product(found, heard, sets.out.weight[which])


@jit
def _through(layer: Layer, given: Singles, rectified: bool) -> Singles:
    """A linear layer, with what is negative cut off if ``rectified``."""
    found = layer.bias.copy()
    _add_product(found, given, layer.weight)
    if rectified:
        _cut(found)
    return found


@inlined
def _add_product(total: Singles, given: Singles, weight: Singles) -> None:
    """Add ``given @ weight`` to ``total``; the inner loop is over outputs, so no sum changes its order."""
    for i in range(len(given)):
        factor = given[i]
        for j in range(len(total)):
            total[j] += factor * weight[i, j]


@inlined
def _cut(values: Singles) -> None:
    for i in range(len(values)):
        values[i] = max(values[i], np.float32(0.0))


@inlined
def _scaled(value: float, mean: float, deviation: float) -> float:
    return min(max((value - mean) / deviation, -WIDEST), WIDEST)


@jit
def _normalise(scores: Singles) -> None:
    """From scores to logarithms of probabilities."""
    largest = scores.max()
    scores -= largest + np.log(np.exp(scores - largest).sum())


def _weights(actor: Actor) -> Weights:
    trunk, points = actor.trunk, actor.action_set is not None  # only a network with attention has an action set
    mix_again = _layer(cast(nn.Linear, trunk.mlp[2]))
    none = Layer(np.zeros((len(mix_again.bias), 0), np.float32), np.zeros(0, np.float32))
    if isinstance(trunk, AttentionTrunk):
        own, embed_own, sets = trunk.own, _layer(trunk.embed_own), _sets(trunk)
        candidates = list(trunk.others).index(str(actor.action_set)) if points else -1
    else:
        own, embed_own, sets, candidates = list(range(len(trunk.scaling.sets))), none, _NO_SETS, -1
    return Weights(
        own=_numbers(trunk.scaling, own),
        embed_own=embed_own,
        sets=sets,
        candidates=candidates,
        first=actor.first_action,
        mix=_layer(cast(nn.Linear, trunk.mlp[0])),
        mix_again=mix_again,
        head=_layer(actor.head) if actor.first_action or not points else none,
        of_candidate=_layer(actor.of_candidate) if points else none,
        of_context=_layer(actor.of_context) if points else none,
        score=_layer(actor.score) if points else none,
    )


def _numbers(scaling: Scaling, chosen: Iterable[int]) -> Numbers:
    """The numbers of some sets, in order."""
    parts = [scaling.sets[i] for i in chosen]
    present = [np.arange(part.start, part.stop, len(part.features)) for part in parts]
    return Numbers(
        np.concatenate([np.arange(part.start, part.stop) for part in parts]),
        np.concatenate(
            [
                np.repeat(first if part.may_be_empty else -np.ones_like(first), len(part.features))
                for part, first in zip(parts, present, strict=True)
            ]
        ),
        *(np.concatenate([np.tile(_scale(scaling, of, part.name), part.rows) for part in parts]) for of in _SCALES),
    )


def _sets(trunk: AttentionTrunk) -> Sets:
    parts = [trunk.scaling.sets[i] for i in trunk.others.values()]
    widest = max(len(part.features) for part in parts)
    attention = [cast(SetAttention, trunk.attention[part.name]) for part in parts]
    split = (attention[0].heads, -1, attention[0].query.out_features)  # [H, D / H, D]
    embed = [_layer(cast(nn.Linear, trunk.embed[part.name])) for part in parts]
    value = [_array(each.value.weight).reshape(split).transpose(0, 2, 1) for each in attention]
    return Sets(
        np.array([part.start for part in parts], np.int64),
        np.array([part.rows for part in parts], np.int64),
        np.array([len(part.features) for part in parts], np.int64),
        np.array([part.may_be_empty for part in parts], np.bool_),
        np.stack([_wide(_scale(trunk.scaling, "mean", part.name), widest, 0.0) for part in parts]),
        np.stack([_wide(_scale(trunk.scaling, "deviation", part.name), widest, 1.0) for part in parts]),
        Layer(np.stack([_wide(each.weight, widest, 0.0) for each in embed]), np.stack([each.bias for each in embed])),
        _stacked([_layer(each.query) for each in attention]),
        np.stack([_array(each.key.weight).reshape(split) for each in attention]),
        Layer(np.stack(value), np.stack([_array(each.value.bias) for each in attention])),
        _stacked([_layer(each.out) for each in attention]),
    )


def _scale(scaling: Scaling, of: str, name: str) -> Singles:
    return _array(scaling.get_buffer(f"{of}_{name}"))


def _layer(linear: nn.Linear) -> Layer:
    weight = np.ascontiguousarray(_array(linear.weight).T)
    bias = cast(torch.Tensor | None, linear.bias)
    return Layer(weight, np.zeros(weight.shape[1], np.float32) if bias is None else _array(bias))


def _stacked(layers: list[Layer]) -> Layer:
    return Layer(np.stack([each.weight for each in layers]), np.stack([each.bias for each in layers]))


def _wide(values: Singles, rows: int, filling: float) -> Singles:
    """``values`` with rows of ``filling`` behind them."""
    wide = np.full((rows, *values.shape[1:]), filling, np.float32)
    wide[: len(values)] = values
    return wide


def _array(tensor: torch.Tensor) -> Singles:
    return np.array(tensor.detach().cpu().numpy(), np.float32)


_NO_PLACES: Final = np.zeros(0, np.int64)
_NO_LAYERS: Final = Layer(np.zeros((0, 0, 0), np.float32), np.zeros((0, 0), np.float32))
_NO_HEADS: Final = np.zeros((0, 0, 0, 0), np.float32)
_NO_SETS: Final = Sets(
    start=_NO_PLACES,
    rows=_NO_PLACES,
    features=_NO_PLACES,
    may_be_empty=np.zeros(0, np.bool_),
    mean=np.zeros((0, 0), np.float32),
    deviation=np.zeros((0, 0), np.float32),
    embed=_NO_LAYERS,
    query=_NO_LAYERS,
    key=_NO_HEADS,
    value=Layer(_NO_HEADS, _NO_LAYERS.bias),
    out=_NO_LAYERS,
)
