"""Loops over blocks of decisions: layers, attention and their derivatives.

A block has L decisions, the innermost index of every array: number i of decision b is ``values[i, b]``. So one
instruction works on several decisions at a time, and weights are read once for all of them.

Derivatives are added to what is there, since several decisions and several readers of a number add to them. ``to_x`` is
the derivative of the loss by x.

Shapes: L decisions; R rows of a set; D numbers an embedded row; H heads. Numbers of rows are [D, R, L].
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.learning.lanes import LANES, add_four_times_lanes, add_product_of_lanes, add_times_lanes
from crowdgym.common.jit import loose

Singles = NDArray[np.float32]


class Layer(NamedTuple):
    """A linear layer, or the derivatives by its weights.

    Attributes:
        weight: shape [outputs, inputs].
        bias: shape [outputs]; no numbers if there is none.
    """

    weight: Singles
    bias: Singles


class Attention(NamedTuple):
    """The layers of `crowdgym.agents.learning.networks.SetAttention`, [D, D] each, or the derivatives by them."""

    query: Layer
    key: Layer
    value: Layer
    out: Layer


class Heard(NamedTuple):
    """What attention to a set makes on its way.

    Attributes:
        asked: the query, [D, L].
        key: what each head looks for in a row, [H * D, L].
        share: of each row in what is heard, [H, R, L].
        mean: of the rows by these shares, [H * D, L].
        value: of that, [D, L].
        found: the result, [D, L].
    """

    asked: Singles
    key: Singles
    share: Singles
    mean: Singles
    value: Singles
    found: Singles


@loose
def add_product(weight: Singles, given: Singles, found: Singles) -> None:
    """Add ``weight @ given`` to ``found``; both have a multiple of L columns.

    The order of the loops keeps what is read in the nearest cache, and lets no sum wait for the one before.
    """
    inputs, columns = given.shape
    for at in range(0, columns, LANES):
        for i in range(0, inputs - inputs % 4, 4):
            for o in range(len(found)):
                a, b, c, d = weight[o, i], weight[o, i + 1], weight[o, i + 2], weight[o, i + 3]
                add_four_times_lanes(found, o * columns + at, a, b, c, d, given, i * columns + at, columns)
        for i in range(inputs - inputs % 4, inputs):
            for o in range(len(found)):
                add_times_lanes(found, o * columns + at, weight[o, i], given, i * columns + at)


@loose
def add_outer(to_found: Singles, given: Singles, to_weight: Singles) -> None:
    """Add ``to_found @ given.T`` to ``to_weight``; four inputs in one go."""
    inputs = len(given)
    fours = inputs - inputs % 4
    for output in range(len(to_found)):
        of = to_found[output]
        for i in range(0, fours, 4):
            first, second, third, fourth = given[i], given[i + 1], given[i + 2], given[i + 3]
            a, b, c, d = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for lane in range(len(of)):
                a += of[lane] * first[lane]
                b += of[lane] * second[lane]
                c += of[lane] * third[lane]
                d += of[lane] * fourth[lane]
            to_weight[output, i] += a
            to_weight[output, i + 1] += b
            to_weight[output, i + 2] += c
            to_weight[output, i + 3] += d
        for i in range(fours, inputs):
            first, a = given[i], np.float32(0.0)
            for lane in range(len(of)):
                a += of[lane] * first[lane]
            to_weight[output, i] += a


@loose
def through(layer: Layer, given: Singles, found: Singles) -> None:
    """A linear layer."""
    for output in range(len(found)):
        found[output, :] = layer.bias[output] if len(layer.bias) else np.float32(0.0)
    add_product(layer.weight, given, found)


@loose
def back_through(to_found: Singles, given: Singles, to_layer: Layer) -> None:
    """Add the derivatives by a layer's weights."""
    add_outer(to_found, given, to_layer.weight)
    for output in range(len(to_layer.bias)):
        to_layer.bias[output] += to_found[output].sum()


@loose
def cut(values: Singles) -> None:
    """Cut off what is negative."""
    flat = values.reshape(-1)
    for i in range(len(flat)):
        flat[i] = max(flat[i], np.float32(0.0))


@loose
def back_through_cut(cut_off: Singles, to_values: Singles) -> None:
    """What was cut off has no derivative."""
    kept, slope = cut_off.reshape(-1), to_values.reshape(-1)
    for i in range(len(kept)):
        slope[i] = slope[i] if kept[i] > 0 else np.float32(0.0)


@loose
def attend(layers: Attention, own: Singles, rows: Singles, there: Singles, heard: Heard) -> None:
    """What the agents, [D, L], hear of their rows, [D, R, L], that are ``there``, 1 or 0, [R, L]."""
    width = len(own)
    heads, part = len(heard.share), width // len(heard.share)
    through(layers.query, own, heard.asked)
    _multiply(heard.asked, 1.0 / part**0.5)
    heard.key[:] = 0.0
    heard.mean[:] = 0.0
    for output in range(width):
        heard.value[output, :] = layers.value.bias[output]
    for head in range(heads):
        of_head, wide = slice(head * part, (head + 1) * part), slice(head * width, (head + 1) * width)
        key, share, mean = heard.key[wide], heard.share[head], heard.mean[wide]
        add_product(layers.key.weight[of_head].T, heard.asked[of_head], key)
        share[:] = 0.0
        for j in range(width):
            _add_times(key[j], rows[j], share)
        _to_shares(share, there)
        for j in range(width):
            _add_times_summed(share, rows[j], mean[j])
        add_product(layers.value.weight[of_head], mean, heard.value[of_head])
    _empty_where_none(there, heard.value)
    through(layers.out, heard.value, heard.found)


@loose
def back_through_attention(
    layers: Attention,
    own: Singles,
    rows: Singles,
    there: Singles,
    heard: Heard,
    to: Heard,
    to_layers: Attention,
    to_own: Singles,
    to_rows: Singles,
) -> None:
    """Add the derivatives of `attend`, given those by ``to.found``; the rest of ``to`` is written over."""
    width = len(own)
    heads, part = len(heard.share), width // len(heard.share)
    back_through(to.found, heard.value, to_layers.out)
    to.value[:] = 0.0
    add_product(layers.out.weight.T, to.found, to.value)
    _empty_where_none(there, to.value)
    for output in range(width):
        to_layers.value.bias[output] += to.value[output].sum()
    to.mean[:] = 0.0
    to.key[:] = 0.0
    to.asked[:] = 0.0
    for head in range(heads):
        of_head, wide = slice(head * part, (head + 1) * part), slice(head * width, (head + 1) * width)
        key, share, mean = heard.key[wide], heard.share[head], heard.mean[wide]
        to_key, to_share, to_mean = to.key[wide], to.share[head], to.mean[wide]
        add_outer(to.value[of_head], mean, to_layers.value.weight[of_head])
        add_product(layers.value.weight[of_head].T, to.value[of_head], to_mean)
        to_share[:] = 0.0
        for j in range(width):
            _add_times(to_mean[j], rows[j], to_share)
        _back_to_scores(share, to_share)
        for j in range(width):
            _add_times_summed(to_share, rows[j], to_key[j])
            _add_times(to_mean[j], share, to_rows[j])
            _add_times(key[j], to_share, to_rows[j])
        add_outer(heard.asked[of_head], to_key, to_layers.key.weight[of_head])
        add_product(layers.key.weight[of_head], to_key, to.asked[of_head])
    _multiply(to.asked, 1.0 / part**0.5)
    back_through(to.asked, own, to_layers.query)
    add_product(layers.query.weight.T, to.asked, to_own)


@loose
def _multiply(values: Singles, factor: float) -> None:
    flat = values.reshape(-1)
    for i in range(len(flat)):
        flat[i] *= np.float32(factor)


@loose
def _add_times(of_agent: Singles, of_rows: Singles, found: Singles) -> None:
    """Add an agent's number, [L], times that of each of its rows, [R, L]."""
    for at in range(0, of_rows.size, LANES):
        add_product_of_lanes(found, at, of_agent, 0, of_rows, at)


@loose
def _add_times_summed(of_rows: Singles, others: Singles, found: Singles) -> None:
    """Add the sum over an agent's rows of the product of two numbers of a row, [R, L]."""
    for at in range(0, of_rows.size, LANES):
        add_product_of_lanes(found, 0, of_rows, at, others, at)


@loose
def _to_shares(scores: Singles, there: Singles) -> None:
    """The softmax over the rows that are there, [R, L], in place; 0 for the others."""
    for lane in range(LANES):
        largest, total = np.float32(-np.inf), np.float32(0.0)
        for row in range(len(scores)):
            if there[row, lane] > 0:
                largest = max(largest, scores[row, lane])
        for row in range(len(scores)):
            is_there = there[row, lane] > 0
            scores[row, lane] = np.float32(math.exp(scores[row, lane] - largest)) if is_there else np.float32(0.0)
            total += scores[row, lane]
        for row in range(len(scores)):
            if total > 0:
                scores[row, lane] /= total


@loose
def _back_to_scores(shares: Singles, to_shares: Singles) -> None:
    """From derivatives by shares to those by scores, in place."""
    for lane in range(LANES):
        mean = np.float32(0.0)
        for row in range(len(shares)):
            mean += shares[row, lane] * to_shares[row, lane]
        for row in range(len(shares)):
            to_shares[row, lane] = shares[row, lane] * (to_shares[row, lane] - mean)


@loose
def _empty_where_none(there: Singles, values: Singles) -> None:
    """Zeros for agents of which no row is there."""
    for lane in range(LANES):
        some = np.float32(0.0)
        for row in range(len(there)):
            some = max(some, there[row, lane])
        if some == 0:
            for i in range(len(values)):
                values[i, lane] = 0.0
