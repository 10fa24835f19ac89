"""EWA-TA, equal weighted aggregation (QCO-TA paper, section 5.3, baseline 3)."""

from crowdgym.agents.sensing.priority import top_cells
from crowdgym.agents.sensing.ranking import RankingScheme
from crowdgym.agents.sensing.scheme import Cells, Floats


class EwaTa(RankingScheme):
    """Selects the P cells whose priority scores have the highest mean over the attributes."""

    def select(self, scores: Floats) -> Cells:
        """See `RankingScheme`."""
        return top_cells(scores.mean(axis=1), self.region.num_participants)
