"""Actor and critic as compiled loops, for learning: what torch computes, and its derivatives.

A pass of torch over a minibatch consists of a hundred operations on small matrices, each of which goes through memory.
Here 32 decisions at a time go through the whole network (`crowdgym.agents.learning.block_loops`), and nothing that is
in between is kept: the backward pass computes it again. The results are those of `crowdgym.agents.learning.networks` up
to rounding. Networks that play are in `crowdgym.agents.learning.row_network`.

Shapes: M observations, F numbers each; N of them are read; S sets with attention, R rows of all of them; L decisions of
a block; P weights; A scores.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdgym.agents.learning.block_loops import (
    Attention,
    Heard,
    Layer,
    Singles,
    add_product,
    attend,
    back_through,
    back_through_attention,
    back_through_cut,
    cut,
    through,
)
from crowdgym.agents.learning.lanes import LANES
from crowdgym.agents.learning.networks import WIDEST, Actor, AttentionTrunk, Critic, log_policy
from crowdgym.common.jit import jit, loose

Places = NDArray[np.int64]

_EMBED_OWN, _MIX, _MIX_AGAIN, _HEAD, _OF_CANDIDATE, _OF_CONTEXT, _SCORE, _OF_SETS = range(8)
_EMBED, _QUERY, _KEY, _VALUE, _OUT, _LAYERS_OF_SET = range(6)


class Plan(NamedTuple):
    """Where a network reads what.

    Attributes:
        layers: for each layer where its weights and biases begin among all weights, its outputs and its inputs; a layer
            that there is not has no outputs, and biases that there are not begin at -1.
        heads: of the attention.
        candidates: which of the sets all scores but that of holding belong to; -1 for none.
        rows: of each set, [S].
        place: in an observation, of each number that is read: the agent's own, then those of the sets, of each feature
            by feature all rows. Shape [N].
        present: the place of the number that says whether its row is there; -1 where it always is. Shape [N].
        mean, deviation: of the scaling, [N].
        flag: the same as ``present``, of each row of the sets. Shape [R].
    """

    layers: Places
    heads: int
    candidates: int
    rows: Places
    place: Places
    present: Places
    mean: Singles
    deviation: Singles
    flag: Places


class Rows(NamedTuple):
    """The rows of a set.

    Attributes:
        seen: the scaled numbers, [features, rows * L].
        there: 1 for each row that is there, else 0, [rows, L].
        flat: the embedded rows, [D, rows * L].
        by_row: the same, [D, rows, L].
    """

    seen: Singles
    there: Singles
    flat: Singles
    by_row: Singles


class Block(NamedTuple):
    """What a block of decisions is on its way through the network, or the derivatives by it.

    Attributes:
        seen: the scaled numbers, [N, L].
        there: 1 for each row that is there, else 0, [R, L].
        rows: embedded rows, set by set: [D, rows, L] each.
        heard: what attention makes, of all sets one behind the other; see `_heard`.
        parts: the embedding of the agent, and what it hears of each set, [(1 + S) D, L].
        mixed, again: the layers of the MLP, [W, L].
        context: the share of the agent in the hidden layer of its candidates' scores, [W, L].
        hidden: that layer, [W, rows, L].
        scores: shape [A, L].
    """

    seen: Singles
    there: Singles
    rows: Singles
    heard: Heard
    parts: Singles
    mixed: Singles
    again: Singles
    context: Singles
    hidden: Singles
    scores: Singles


def for_learning(network: nn.Module) -> Callable[..., Tensor]:
    """What an actor or a critic computes, as loops whose result can be differentiated by the weights, once.

    It reads the weights at every call; if the scaling changes, this has to be called again. A network of another class,
    without attention or on another device than the CPU, is returned itself.
    """
    if not isinstance(network, (Actor, Critic)) or not isinstance(network.trunk, AttentionTrunk) or not _is_compiled():
        return network
    weights = tuple(network.parameters())
    if any(each.device.type != "cpu" or each.dtype != torch.float32 for each in weights):
        return network
    plan = _plan(network)

    def scores(observations: Tensor) -> Tensor:
        return cast(Tensor, _Scores.apply(observations, plan, *weights))  # type: ignore[no-untyped-call]

    if isinstance(network, Critic):
        return scores
    return lambda observations, masks: log_policy(scores(observations), masks)


class _Scores(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, observations: Tensor, plan: Plan, *weights: Tensor) -> Tensor:
        flat = torch.cat([each.flatten() for each in weights])
        ctx.save_for_backward(observations, flat)
        ctx.plan, ctx.shapes = plan, [each.shape for each in weights]
        scores = np.empty((len(observations), _num_scores(plan)), np.float32)
        none = np.zeros(0, np.float32)
        pass_through(plan, flat.numpy(), observations.numpy(), scores, scores, none)
        return torch.from_numpy(scores)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, to_scores: Tensor) -> tuple[Tensor | None, ...]:
        observations, flat = ctx.saved_tensors
        to_flat = torch.zeros_like(flat)
        slopes = to_scores.contiguous().numpy()
        pass_through(ctx.plan, flat.numpy(), observations.numpy(), slopes, slopes, to_flat.numpy())
        parts = torch.split(to_flat, [shape.numel() for shape in ctx.shapes])
        return None, None, *(part.view(shape) for part, shape in zip(parts, ctx.shapes, strict=True))


@jit
def pass_through(
    plan: Plan, weights: Singles, observations: Singles, scores: Singles, to_scores: Singles, to_weights: Singles
) -> None:
    """Compute ``scores``, [M, A]; or, if there is room for ``to_weights``, add the derivatives by the weights to it.

    Both in one function, which takes half the time to compile.
    """
    block, to = _block(plan), _block(plan)
    for first in range(0, len(observations), LANES):
        some = observations[first : first + LANES]
        _forward(plan, weights, some, block)
        if len(to_weights):
            to.scores[:] = 0.0
            for lane in range(len(some)):
                to.scores[:, lane] = to_scores[first + lane]
            _backward(plan, weights, block, to, to_weights)
        else:
            for lane in range(len(some)):
                scores[first + lane] = block.scores[:, lane]


@loose
def _forward(plan: Plan, weights: Singles, observations: Singles, block: Block) -> None:
    width = plan.layers[_EMBED_OWN, 2]
    _take_in(plan, observations, block)
    own = block.parts[:width]
    through(_layer(plan, weights, _EMBED_OWN), block.seen[: plan.layers[_EMBED_OWN, 3]], own)
    cut(own)
    for which in range(len(plan.rows)):
        rows = _set(plan, block, which)
        through(_layer(plan, weights, _of_set(which, _EMBED)), rows.seen, rows.flat)
        cut(rows.flat)
        attend(_attention(plan, weights, which), own, rows.by_row, rows.there, _heard(plan, block, which))
    through(_layer(plan, weights, _MIX), block.parts, block.mixed)
    cut(block.mixed)
    through(_layer(plan, weights, _MIX_AGAIN), block.mixed, block.again)
    cut(block.again)
    through(_layer(plan, weights, _HEAD), block.again, block.scores[: plan.layers[_HEAD, 2]])
    if plan.candidates >= 0:
        rows = _set(plan, block, plan.candidates)
        hidden = block.hidden.reshape((len(block.hidden), block.hidden.shape[1] * LANES))
        through(_layer(plan, weights, _OF_CONTEXT), block.again, block.context)
        through(_layer(plan, weights, _OF_CANDIDATE), rows.flat, hidden)
        for unit in range(len(block.hidden)):
            for row in range(block.hidden.shape[1]):
                for lane in range(LANES):
                    both = block.hidden[unit, row, lane] + block.context[unit, lane]
                    block.hidden[unit, row, lane] = max(both, np.float32(0.0))
        through(_layer(plan, weights, _SCORE), hidden, block.scores[plan.layers[_HEAD, 2] :].reshape((1, -1)))


@loose
def _backward(plan: Plan, weights: Singles, block: Block, to: Block, to_weights: Singles) -> None:
    width = plan.layers[_EMBED_OWN, 2]
    to.rows[:] = 0.0
    to.again[:] = 0.0
    to.mixed[:] = 0.0
    to.parts[:] = 0.0
    if plan.candidates >= 0:
        rows, to_rows = _set(plan, block, plan.candidates), _set(plan, to, plan.candidates)
        to.hidden[:] = 0.0
        shape = len(to.hidden), to.hidden.shape[1] * LANES
        hidden, to_hidden = block.hidden.reshape(shape), to.hidden.reshape(shape)
        _back(plan, weights, _SCORE, hidden, to.scores[plan.layers[_HEAD, 2] :].reshape((1, -1)), to_hidden, to_weights)
        back_through_cut(hidden, to_hidden)
        to.context[:] = 0.0
        for unit in range(len(to.hidden)):
            for row in range(to.hidden.shape[1]):
                for lane in range(LANES):
                    to.context[unit, lane] += to.hidden[unit, row, lane]
        _back(plan, weights, _OF_CANDIDATE, rows.flat, to_hidden, to_rows.flat, to_weights)
        _back(plan, weights, _OF_CONTEXT, block.again, to.context, to.again, to_weights)
    _back(plan, weights, _HEAD, block.again, to.scores[: plan.layers[_HEAD, 2]], to.again, to_weights)
    back_through_cut(block.again, to.again)
    _back(plan, weights, _MIX_AGAIN, block.mixed, to.again, to.mixed, to_weights)
    back_through_cut(block.mixed, to.mixed)
    _back(plan, weights, _MIX, block.parts, to.mixed, to.parts, to_weights)
    own, to_own = block.parts[:width], to.parts[:width]
    for which in range(len(plan.rows)):
        rows, to_rows = _set(plan, block, which), _set(plan, to, which)
        heard, to_heard = _heard(plan, block, which), _heard(plan, to, which)
        layers, to_layers = _attention(plan, weights, which), _attention(plan, to_weights, which)
        back_through_attention(layers, own, rows.by_row, rows.there, heard, to_heard, to_layers, to_own, to_rows.by_row)
        back_through_cut(rows.flat, to_rows.flat)
        back_through(to_rows.flat, rows.seen, _layer(plan, to_weights, _of_set(which, _EMBED)))
    back_through_cut(own, to_own)
    own_seen = block.seen[: plan.layers[_EMBED_OWN, 3]]
    back_through(to_own, own_seen, _layer(plan, to_weights, _EMBED_OWN))


@loose
def _back(
    plan: Plan, weights: Singles, index: int, given: Singles, to_found: Singles, to_given: Singles, to_weights: Singles
) -> None:
    """Add the derivatives by a layer's weights and by what it is given."""
    back_through(to_found, given, _layer(plan, to_weights, index))
    add_product(_layer(plan, weights, index).weight.T, to_found, to_given)


@loose
def _take_in(plan: Plan, observations: Singles, block: Block) -> None:
    """Scale the numbers of some observations, and find which rows are there; zeros behind the last observation."""
    if len(observations) < LANES:
        block.seen[:] = 0.0
        block.there[:] = 0.0
    for lane in range(len(observations)):
        of = observations[lane]
        for row in range(len(plan.flag)):
            there = plan.flag[row] < 0 or of[plan.flag[row]] > 0
            block.there[row, lane] = np.float32(1.0) if there else np.float32(0.0)
        for i in range(len(plan.place)):
            there = plan.present[i] < 0 or of[plan.present[i]] > 0
            scaled = (of[plan.place[i]] - plan.mean[i]) / plan.deviation[i]
            block.seen[i, lane] = min(max(scaled, np.float32(-WIDEST)), np.float32(WIDEST)) if there else 0.0


@jit
def _block(plan: Plan) -> Block:
    """Room for a block."""
    width, sets, rows = plan.layers[_EMBED_OWN, 2], len(plan.rows), _rows_before(plan, len(plan.rows))
    hidden, outputs = plan.layers[_MIX, 2], plan.layers[_HEAD, 2]
    options = plan.rows[plan.candidates] if plan.candidates >= 0 else 0
    return Block(
        seen=np.zeros((len(plan.place), LANES), np.float32),
        there=np.zeros((rows, LANES), np.float32),
        rows=np.zeros(width * rows * LANES, np.float32),
        heard=Heard(
            asked=np.zeros((sets * width, LANES), np.float32),
            key=np.zeros((sets * plan.heads * width, LANES), np.float32),
            share=np.zeros((plan.heads * rows, LANES), np.float32),
            mean=np.zeros((sets * plan.heads * width, LANES), np.float32),
            value=np.zeros((sets * width, LANES), np.float32),
            found=np.zeros((0, LANES), np.float32),
        ),
        parts=np.zeros(((1 + sets) * width, LANES), np.float32),
        mixed=np.zeros((hidden, LANES), np.float32),
        again=np.zeros((hidden, LANES), np.float32),
        context=np.zeros((hidden, LANES), np.float32),
        hidden=np.zeros((hidden, options, LANES), np.float32),
        scores=np.zeros((outputs + options, LANES), np.float32),
    )


@loose
def _set(plan: Plan, block: Block, which: int) -> Rows:
    """The rows of a set, as views of the block."""
    width, first, rows = plan.layers[_EMBED_OWN, 2], _rows_before(plan, which), plan.rows[which]
    begin = plan.layers[_EMBED_OWN, 3]
    for before in range(which):
        begin += plan.rows[before] * plan.layers[_of_set(before, _EMBED), 3]
    features = plan.layers[_of_set(which, _EMBED), 3]
    seen = block.seen[begin : begin + features * rows].reshape((features, rows * LANES))
    embedded = block.rows[width * first * LANES : width * (first + rows) * LANES]
    flat, by_row = embedded.reshape((width, rows * LANES)), embedded.reshape((width, rows, LANES))
    return Rows(seen, block.there[first : first + rows], flat, by_row)


@loose
def _heard(plan: Plan, block: Block, which: int) -> Heard:
    """What attention to a set makes; its result is among the parts."""
    width, heads, all_heard = plan.layers[_EMBED_OWN, 2], plan.heads, block.heard
    one, many = slice(which * width, (which + 1) * width), slice(which * heads * width, (which + 1) * heads * width)
    first, rows = _rows_before(plan, which), plan.rows[which]
    shares = all_heard.share[heads * first : heads * (first + rows)]
    return Heard(
        all_heard.asked[one],
        all_heard.key[many],
        shares.reshape((heads, rows, LANES)),
        all_heard.mean[many],
        all_heard.value[one],
        block.parts[(1 + which) * width : (2 + which) * width],
    )


@loose
def _rows_before(plan: Plan, which: int) -> int:
    """The rows of the sets before a set."""
    rows = 0
    for before in range(which):
        rows += plan.rows[before]
    return rows


@loose
def _attention(plan: Plan, weights: Singles, which: int) -> Attention:
    return Attention(
        _layer(plan, weights, _of_set(which, _QUERY)),
        _layer(plan, weights, _of_set(which, _KEY)),
        _layer(plan, weights, _of_set(which, _VALUE)),
        _layer(plan, weights, _of_set(which, _OUT)),
    )


@loose
def _of_set(which: int, layer: int) -> int:
    return _OF_SETS + which * _LAYERS_OF_SET + layer


@loose
def _layer(plan: Plan, weights: Singles, index: int) -> Layer:
    """A layer, as a view of all weights."""
    begin, begin_bias, outputs, inputs = plan.layers[index]
    weight = weights[begin : begin + outputs * inputs].reshape((outputs, inputs))
    return Layer(weight, weights[begin_bias : begin_bias + outputs] if begin_bias >= 0 else weights[:0])


def _is_compiled() -> bool:
    import numba

    return not numba.config.DISABLE_JIT


def _num_scores(plan: Plan) -> int:
    options = plan.rows[plan.candidates] if plan.candidates >= 0 else 0
    return int(plan.layers[_HEAD, 2] + options)


def _plan(network: Actor | Critic) -> Plan:
    trunk = cast(AttentionTrunk, network.trunk)
    scaling, others = trunk.scaling, list(trunk.others.items())
    sets = [scaling.sets[i] for _, i in others]
    numbers = [_numbers(scaling, i) for i in trunk.own] + [_numbers(scaling, i) for _, i in others]
    points = isinstance(network, Actor) and network.action_set is not None
    place, present, mean, deviation = (np.concatenate(of) for of in zip(*numbers, strict=True))
    return Plan(
        layers=np.array(list(_layers(network, [name for name, _ in others])), np.int64),
        heads=cast(Any, trunk.attention[others[0][0]]).heads,
        candidates=[name for name, _ in others].index(str(cast(Actor, network).action_set)) if points else -1,
        rows=np.array([part.rows for part in sets], np.int64),
        place=place,
        present=present,
        mean=mean,
        deviation=deviation,
        flag=np.concatenate(
            [
                np.arange(part.start, part.stop, len(part.features)) if part.may_be_empty else np.full(part.rows, -1)
                for part in sets
            ]
        ),
    )


def _numbers(scaling: Any, index: int) -> tuple[Places, Places, Singles, Singles]:
    """Of a set, for each feature and then row: the place, that of presence, and the scale."""
    part = scaling.sets[index]
    places = np.arange(part.start, part.stop).reshape(part.shape)
    present = np.broadcast_to(places[:, :1] if part.may_be_empty else -1, part.shape)
    scales = [scaling.get_buffer(f"{of}_{part.name}").numpy() for of in ("mean", "deviation")]
    mean, deviation = (np.repeat(scale, part.rows) for scale in scales)
    return places.T.reshape(-1), present.T.reshape(-1), mean, deviation


def _layers(network: Actor | Critic, sets: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """The rows of `Plan.layers`."""
    places, end = {}, 0
    for name, parameter in network.named_parameters():
        places[name] = end
        end += parameter.numel()

    def row(name: str) -> tuple[int, int, int, int]:
        if f"{name}.weight" not in places:
            return 0, -1, 0, 0
        outputs, inputs = network.get_parameter(f"{name}.weight").shape
        return places[f"{name}.weight"], places.get(f"{name}.bias", -1), outputs, inputs

    yield from map(
        row, ("trunk.embed_own", "trunk.mlp.0", "trunk.mlp.2", "head", "of_candidate", "of_context", "score")
    )
    for name in sets:
        yield row(f"trunk.embed.{name}")
        yield from (row(f"trunk.attention.{name}.{layer}") for layer in ("query", "key", "value", "out"))
