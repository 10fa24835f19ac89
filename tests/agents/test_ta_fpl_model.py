"""The preference model of TA-FPL: examples, encoders, memory, losses and ranks."""

from dataclasses import fields, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from worlds.ta_fpl_worlds import NUM_CATEGORIES, PLACES, records, settings, task  # noqa: E402

from crowdgym.agents.learning.centres import CentreRecords, Order, PublicPlaces  # noqa: E402
from crowdgym.agents.ta_fpl.client import TaFplClient  # noqa: E402
from crowdgym.agents.ta_fpl.examples import Examples, Split  # noqa: E402
from crowdgym.agents.ta_fpl.loss import PreferenceLoss  # noqa: E402
from crowdgym.agents.ta_fpl.memory import Memory  # noqa: E402
from crowdgym.agents.ta_fpl.model import (  # noqa: E402
    PreferenceModel,
    SequenceEncoder,
    initial_parameters,
)
from crowdgym.agents.ta_fpl.ranking import Predictions, ranks  # noqa: E402


def model_of(**changed: object) -> PreferenceModel:
    torch.manual_seed(0)
    return PreferenceModel(PLACES, settings(**changed)).eval()


def test_examples_by_hand() -> None:
    # one worker at places 0, 4, 3, 1 of the categories 0, 1, 0, 1; the last event validates
    own = CentreRecords(np.array([5]), np.full(4, 5), np.array([0, 4, 3, 1]), np.array([0, 1, 0, 1]))
    split = Split.of(own, PLACES, settings(recent=3, in_category=2, validation_events=1))
    assert split.training.event.tolist() == [1, 2]  # nothing is known before the first
    assert split.training.recent_place.tolist() == [[12, 12, 0], [12, 0, 4]]
    assert split.training.recent_category.tolist() == [[3, 3, 0], [3, 0, 1]]
    assert split.training.place.tolist() == [4, 3]
    assert split.validation.same_category.tolist() == [[[0, 3], [12, 4], [12, 12]]]
    assert split.validation.counts.tolist() == [[2.0, 1.0, 0.0]]
    assert split.validation.category.tolist() == [1]
    assert split.following.recent_place.tolist() == [[4, 3, 1]]
    assert (split.following.place.tolist(), len(split.held_out)) == ([-1], 0)


def test_the_last_events_are_held_out_and_those_before_validate() -> None:
    split = Split.of(records([0, 7], events=12), PLACES, settings(validation_events=2, held_out_events=3))
    assert split.training.event.tolist() == 2 * [1, 2, 3, 4, 5, 6]
    assert split.validation.event.tolist() == 2 * [7, 8]
    assert split.held_out.event.tolist() == 2 * [9, 10, 11]
    assert split.following.worker.tolist() == [0, 7]


def test_a_worker_without_events_has_only_the_event_to_come() -> None:
    nothing = np.zeros(0, np.int64)
    split = Split.of(CentreRecords(np.array([4]), nothing, nothing, nothing), PLACES, settings())
    assert [len(getattr(split, part.name)) for part in fields(Split)] == [0, 0, 0, 1]
    table = model_of().category_probabilities(split.following)
    assert torch.isfinite(table).all()


def test_the_future_of_a_worker_is_in_no_example() -> None:
    """Other events from the sixth on: the examples before are the same, bit for bit."""
    one = records([0], events=12)
    place = one.place.copy()
    place[6:] = np.random.default_rng(9).permutation(place[6:])
    other = replace(one, place=place, category=PLACES.category[place])
    before, after = (Split.of(own, PLACES, settings()).training for own in (one, other))
    early = before.event <= 5
    for part in fields(Examples):
        assert torch.equal(getattr(before, part.name)[early], getattr(after, part.name)[early])


def test_an_encoder_ignores_padding() -> None:
    torch.manual_seed(0)
    encoder = SequenceEncoder(5, settings()).eval()
    rows, present = torch.randn(6, 5, 8), torch.tensor([[False, False, True, True, True]] * 6)
    garbage = rows.clone()
    garbage[:, :2] = 1e3 * torch.randn(6, 2, 8)
    swapped = rows.clone()
    swapped[:, [0, 1]] = rows[:, [1, 0]]
    expected = encoder(rows, present)
    assert torch.equal(encoder(garbage, present), expected)
    assert torch.equal(encoder(swapped, present), expected)
    changed = rows.clone()
    changed[:, 2] += 1.0
    assert not torch.allclose(encoder(changed, present), expected)


def test_an_encoder_is_the_attention_of_pytorch_at_the_last_position() -> None:
    """An independent reference: `torch.nn.MultiheadAttention` with the same weights."""
    torch.manual_seed(0)
    encoder = SequenceEncoder(4, settings()).eval()
    reference = torch.nn.MultiheadAttention(8, 2, batch_first=True).eval()
    parts = (encoder.query, encoder.key, encoder.value)
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        reference.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        reference.out_proj.load_state_dict(encoder.output.state_dict())
    rows, present = torch.randn(3, 4, 8), torch.tensor([[False, True, True, True]] * 3)
    placed = rows + encoder.position
    attended = reference(placed, placed, placed, key_padding_mask=~present)[0][:, -1]
    inner = encoder.norms[0](placed[:, -1] + attended)
    expected = encoder.norms[1](inner + encoder.feed_forward(inner))
    torch.testing.assert_close(encoder(rows, present), expected)


def test_an_empty_sequence_is_zeros_and_has_finite_gradients() -> None:
    encoder = SequenceEncoder(3, settings()).eval()
    rows = torch.randn(2, 3, 8, requires_grad=True)
    encoded = encoder(rows, torch.zeros(2, 3, dtype=torch.bool))
    assert not encoded.any()
    encoded.sum().backward()
    assert torch.isfinite(rows.grad).all()


def test_memory_by_hand() -> None:
    memory = Memory(num_categories=2, num_rows=3, width=4)
    memory.write(torch.tensor([0, 0, 1]), 2.0 * torch.eye(4)[:3], torch.tensor([10, 11, 12]))
    query = torch.tensor([[[2.0, 0.0, 0.0, 0.0]]])
    category = torch.tensor([[0]])
    # worker 12 in category 0: likeness 2 * 2 / sqrt(4) = 2 to the first row and 0 to the second
    weight = np.exp(2.0) / (np.exp(2.0) + 1.0)
    read = memory.read(category, query, torch.tensor([12]), neighbours=2)[0, 0]
    np.testing.assert_allclose(read.numpy(), [2 * weight, 2 * (1 - weight), 0, 0], rtol=1e-6)
    nearest = memory.read(category, query, torch.tensor([12]), neighbours=1)[0, 0]
    assert nearest.tolist() == [2.0, 0.0, 0.0, 0.0]


def test_own_rows_of_the_memory_are_never_attended_to() -> None:
    memory = Memory(1, 4, 2)
    memory.write(torch.tensor([0, 0]), torch.tensor([[5.0, 5.0], [0.0, 1.0]]), torch.tensor([7, 8]))
    category, query = torch.tensor([[0]]), torch.tensor([[[5.0, 5.0]]])
    assert memory.read(category, query, torch.tensor([7]), 5)[0, 0].tolist() == [0.0, 1.0]
    alone = Memory(1, 4, 2)
    alone.write(torch.tensor([0]), torch.tensor([[5.0, 5.0]]), torch.tensor([7]))
    assert not alone.read(category, query, torch.tensor([7]), 5).any()
    assert not Memory(1, 4, 2).read(category, query, torch.tensor([7]), 5).any()  # it begins empty


def test_the_memory_is_a_queue_of_rows_without_gradients() -> None:
    memory = Memory(1, 2, 1)
    rows = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    memory.write(torch.tensor([0, 0, 0]), rows, torch.tensor([1, 2, 3]))
    assert memory.rows[0, :, 0].tolist() == [3.0, 2.0]
    assert memory.owner[0].tolist() == [3, 2]
    assert not memory.rows.requires_grad


def test_probabilities_of_places_are_a_distribution_over_the_gated_categories() -> None:
    model, memory = model_of(), Memory(NUM_CATEGORIES, 4, 8)
    examples = Split.of(records([0, 1]), PLACES, settings()).training
    places = model.place_probabilities(examples, memory).detach()
    torch.testing.assert_close(places.sum(dim=1), torch.ones(len(examples)))
    gated = model.category_probabilities(examples).topk(2, dim=1).indices
    for row, chosen in zip(places, gated.tolist(), strict=True):
        assert {int(c) for c in PLACES.category[row.numpy() > 0]} == set(chosen)


def test_categories_are_a_mixture_of_the_encoder_s_and_the_shares_of_the_history() -> None:
    """The shares have half an event more in each category."""
    examples = Split.of(records([0]), PLACES, settings()).following
    shares = np.bincount(records([0]).category, minlength=NUM_CATEGORIES) + 0.5
    tables = [model_of(history_share=eta).category_probabilities(examples)[0].detach().numpy() for eta in (0.0, 0.25)]
    np.testing.assert_allclose(tables[1], 0.75 * tables[0] + 0.25 * shares / shares.sum(), rtol=1e-6)


def test_the_gate_learns_what_a_liking_means_after_a_category() -> None:
    """T[z, i, j] adds sigma (s_i - 1/C) T to the logit of j where z is the latest category, and nowhere else."""
    examples = Split.of(records([0, 1]), PLACES, settings()).training
    plain, changed = (model_of(history_share=0.0, share_scale=2.0) for _ in range(2))
    with torch.no_grad():
        changed.of_shares[1, 0, 2] = 3.0
    before, after = (torch.log(model.category_probabilities(examples)) for model in (plain, changed))
    smoothed = examples.counts + 0.5
    share = smoothed[:, 0] / smoothed.sum(dim=1)
    added = torch.where(examples.recent_category[:, -1] == 1, 2.0 * (share - 1 / 3) * 3.0, 0.0)
    assert (added != 0).any()
    # logits are known up to a constant of each row: category 0 and 1 stay as they are
    torch.testing.assert_close((after - before)[:, 2] - (after - before)[:, 0], added)
    torch.testing.assert_close((after - before)[:, 1], (after - before)[:, 0])
    unseen = model_of(history_share=0.0, share_scale=0.0)
    unseen.load_state_dict(changed.state_dict())
    torch.testing.assert_close(torch.log(unseen.category_probabilities(examples)), before)


def test_a_place_where_no_worker_has_been_begins_with_its_popularity() -> None:
    bias = model_of().place_bias.detach().numpy()
    share = PLACES.popularity[PLACES.category == 1] / PLACES.popularity[PLACES.category == 1].sum()
    np.testing.assert_allclose(np.exp(bias[PLACES.category == 1]), share, rtol=1e-6)


def test_the_sampled_softmax_comes_close_to_the_exact_one() -> None:
    """With 20,000 negatives. They are drawn by popularity, which is corrected for."""
    examples, memory = Split.of(records([0, 1, 2]), PLACES, settings()).training, Memory(NUM_CATEGORIES, 4, 8)
    model, generator = model_of(), torch.Generator().manual_seed(0)
    exact, _, _ = PreferenceLoss(PLACES, settings(exact_below=1000))(model, examples, memory, generator)
    sampled, _, _ = PreferenceLoss(PLACES, settings(exact_below=0, negatives=20_000))(
        model, examples, memory, generator
    )
    assert sampled.item() == pytest.approx(exact.item(), abs=0.02)


def test_the_loss_is_that_of_the_place_in_its_category_and_of_the_category() -> None:
    examples, memory = Split.of(records([0]), PLACES, settings()).training, Memory(NUM_CATEGORIES, 4, 8)
    model, weight = model_of(), 0.5
    loss, _, seen = PreferenceLoss(PLACES, settings(category_weight=weight))(model, examples, memory, torch.Generator())
    category = examples.category.unsqueeze(1)
    hidden, there = model.in_category(examples, category)
    logits = model.place_logits(model.worker_rows(examples, category, hidden, memory), category).squeeze(1)
    rows = torch.arange(len(examples))
    of_place = -torch.log_softmax(logits, dim=1)[rows, examples.place].mean()
    of_category = -torch.log(model.category_probabilities(examples))[rows, examples.category].mean()
    assert loss.item() == pytest.approx((of_place + weight * of_category).item(), rel=1e-5)
    assert torch.equal(seen, there.squeeze(1))


def test_training_lowers_the_loss_on_what_it_sees() -> None:
    client = TaFplClient(task(local_epochs=30, dropout=0.0))
    first = client.fit(Order(0, initial_parameters(PLACES, settings(), 0)))
    second = client.fit(Order(1, first.parameters))
    assert second.figures["loss"] < 0.8 * first.figures["loss"]


@pytest.mark.parametrize("without", [{"neighbours": 0}, {"in_category": 0}, {"neighbours": 0, "in_category": 0}])
def test_a_model_without_memory_or_in_category_encoder(without: dict[str, int]) -> None:
    """The encoder's part of h_j is then 0, and so is that of the neighbours; the rest learns all the same."""
    own = task(**without, dropout=0.0, local_epochs=8)
    client = TaFplClient(own)
    first = client.fit(Order(0, initial_parameters(PLACES, own.settings, 0)))
    second = client.fit(Order(1, first.parameters))
    assert second.figures["loss"] < first.figures["loss"]
    model = PreferenceModel(PLACES, own.settings).eval()
    examples = Split.of(own.records, PLACES, own.settings).training
    hidden, seen = model.in_category(examples, examples.category.unsqueeze(1))
    assert (hidden.abs().sum() == 0) == (not seen.any()) == ("in_category" in without)
    memory = Memory(NUM_CATEGORIES, 4, hidden.shape[-1])
    memory.write(examples.category, torch.ones(len(examples), hidden.shape[-1]), examples.worker + 100)
    read = memory.read(examples.category.unsqueeze(1), hidden, examples.worker, own.settings.neighbours)
    assert (read.abs().sum() == 0) == ("neighbours" in without)


def test_ranks_and_figures_by_hand() -> None:
    table = np.array([[0.5, 0.2, 0.3], [0.0, 0.0, 1.0]])
    assert ranks(table, np.array([2, 1])).tolist() == [2, 3]  # place 0 is before place 1 in a tie
    rank = np.array([1, 2, 11])
    category = np.array([0, 1, 1])
    said = Predictions(category, category, rank, category, np.array([[0.8, 0.2], [0.5, 0.5], [1.0, 0.0]]))
    figures = said.figures()
    assert figures["hr_1"].tolist() == [1, 0, 0]
    assert figures["hr_10"].tolist() == [1, 1, 0]
    np.testing.assert_allclose(figures["ndcg_10"], [1.0, 1 / np.log2(3), 0.0])
    np.testing.assert_allclose(figures["mrr"], [1, 1 / 2, 1 / 11])
    assert figures["category_accuracy"].tolist() == [1, 0, 0]
    assert figures["category_log_loss"][0] == pytest.approx(-np.log(0.8))


def test_places_may_be_in_some_categories_only() -> None:
    """A category without a place gets no share of a place, and nothing is not a number."""
    places = PublicPlaces(np.array([0, 0, 1]), np.ones(3), num_categories=4)
    own = CentreRecords(np.array([0]), np.zeros(3, np.int64), np.array([0, 1, 2]), np.array([0, 0, 1]))
    torch.manual_seed(0)
    model = PreferenceModel(places, settings(top_categories=4)).eval()
    found = model.place_probabilities(Split.of(own, places, settings()).following, Memory(4, 4, 8)).detach()
    assert torch.isfinite(found).all()
    assert 0 < found.sum().item() < 1
