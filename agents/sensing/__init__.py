"""Schemes for ``sensing_v0`` with ``agents="cells"``: they send participants to cells."""

from crowdgym.agents.catalogue import PolicySpec

_ONLY = ("sensing_v0",)

POLICIES = (
    PolicySpec("uns-ta", "uniform sampling (QCO-TA paper, baseline 4)", "crowdgym.agents.sensing.uniform:UnsTa", _ONLY),
    PolicySpec("ewa-ta", "equal weights of attributes (baseline 3)", "crowdgym.agents.sensing.ewa:EwaTa", _ONLY),
    PolicySpec("gps-ta", "greedy priority selection (baseline 2)", "crowdgym.agents.sensing.gps:GpsTa", _ONLY),
    PolicySpec("oo-mta", "online optimised weights (baseline 1)", "crowdgym.agents.sensing.oo_mta:OoMta", _ONLY),
    PolicySpec("qco-ta", "quality- and cost-aware (Zhang et al. 2019)", "crowdgym.agents.sensing.qco_ta:QcoTa", _ONLY),
    PolicySpec(
        "qco-ta-literal", "QCO-TA with Eq. (11) as printed", "crowdgym.agents.sensing.qco_ta:LiteralQcoTa", _ONLY
    ),
    PolicySpec(
        "gaussian-swap",
        "CrowdGym's own: best swaps by the errors that a Gaussian model of the field predicts",
        "crowdgym.agents.sensing.gaussian_swap:GaussianSwap",
        _ONLY,
    ),
    PolicySpec("random-static", "participants never move", "crowdgym.agents.sensing.static:RandomStatic", _ONLY),
)
