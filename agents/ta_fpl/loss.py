"""The loss of the preference model: of the true place within its category, and of the category."""

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import cross_entropy, nll_loss

from crowdgym.agents.learning.centres import PublicPlaces
from crowdgym.agents.ta_fpl.examples import Examples
from crowdgym.agents.ta_fpl.memory import Memory
from crowdgym.agents.ta_fpl.model import PreferenceModel
from crowdgym.configs.ta_fpl import TaFplSettings

_TINY = 1e-12  # keeps the logarithm finite


class PreferenceLoss:
    """Mean over examples of  -log P(l | c) + lambda * -log P(c),  for the true place l and the true category c.

    The true category is given to the in-category encoder (teacher forcing). Where there are many places, P(l | c) is a
    softmax against places of the category drawn by popularity, with the correction for how often each is drawn.

    Args:
        places: their categories and popularity.
        settings: ``category_weight``, ``negatives`` and ``exact_below``.
    """

    def __init__(self, places: PublicPlaces, settings: TaFplSettings) -> None:
        self._category_weight = settings.category_weight
        self._negatives = settings.negatives if len(places) >= settings.exact_below else 0
        category, popularity = torch.from_numpy(places.category), torch.from_numpy(places.popularity)
        self._draw = torch.zeros(places.num_categories, len(places), dtype=torch.float64)
        self._draw[category, torch.arange(len(places))] = popularity.clamp(min=1e-9)
        self._draw /= self._draw.sum(dim=1, keepdim=True).clamp(min=1e-300)  # [C, L]

    def __call__(
        self, model: PreferenceModel, examples: Examples, memory: Memory, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The loss, and what the memory takes in after the step.

        Args:
            model: in training mode or not.
            examples: whose category and place are known.
            memory: read, not written.
            generator: of the negatives.

        Returns:
            The loss; h^c of the true categories, [B, d]; where the worker had been in its category before, [B].
        """
        category = examples.category.unsqueeze(1)  # [B, 1]
        hidden, seen = model.in_category(examples, category)
        rows = model.worker_rows(examples, category, hidden, memory)  # [B, 1, d]
        of_place = (
            self._sampled(model, rows.squeeze(1), examples, generator)
            if self._negatives
            else cross_entropy(model.place_logits(rows, category).squeeze(1), examples.place)
        )
        of_category = nll_loss(torch.log(model.category_probabilities(examples) + _TINY), examples.category)
        return of_place + self._category_weight * of_category, hidden.squeeze(1), seen.squeeze(1)

    def _sampled(self, model: PreferenceModel, rows: Tensor, examples: Examples, generator: torch.Generator) -> Tensor:
        """The sampled softmax; a negative that is the true place does not count. ``rows`` has shape [B, d]."""
        draw = self._draw[examples.category]  # [B, L]
        drawn = torch.multinomial(draw, self._negatives, replacement=True, generator=generator)  # [B, n]
        chosen = torch.cat([examples.place.unsqueeze(1), drawn], dim=1)  # [B, 1 + n]
        logits = (model.place_out[chosen] @ rows.unsqueeze(-1)).squeeze(-1) + model.place_bias[chosen]
        # The sum over the drawn of exp(logit) / (n q) estimates that over all other places without bias.
        logits[:, 1:] -= torch.log(self._negatives * draw.gather(1, drawn)).float()
        repeated = functional.pad(drawn == examples.place.unsqueeze(1), (1, 0))
        return cross_entropy(logits.masked_fill(repeated, -torch.inf), torch.zeros_like(examples.place))
