"""Policies of ``preference_v0`` that learn nothing: a matching, and where preferences come from."""

from crowdgym.agents.catalogue import PolicySpec

_ONLY = ("preference_v0",)
_MODULE = "crowdgym.agents.preference.policies"

POLICIES = (
    PolicySpec("greedy", "pairs in order of preference, by the shares of histories", f"{_MODULE}:GreedyPolicy", _ONLY),
    PolicySpec("max-flow", "most offers, whatever the preferences", f"{_MODULE}:MaxFlowPolicy", _ONLY),
    PolicySpec(
        "km", "the matching of most expected acceptances, by the shares of histories", f"{_MODULE}:KmPolicy", _ONLY
    ),
    PolicySpec(
        "km-answers",
        "km that also learns from the answers of the episode (ours)",
        f"{_MODULE}:AnswersKmPolicy",
        _ONLY,
    ),
    PolicySpec(
        "km-lexicographic",
        "most offers, and of these matchings that of most expected acceptances, by the shares of histories",
        f"{_MODULE}:LexicographicKmPolicy",
        _ONLY,
    ),
)
