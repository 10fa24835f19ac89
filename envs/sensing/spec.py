"""The specification of ``sensing_v0``."""

from crowdgym.envs.api.spec import EnvironmentSpec, Metric, Objective, TracedQuantity

SPEC = EnvironmentSpec(
    name="sensing_v0",
    about="multi-attribute sensing: who measures where, when the rest has to be inferred (Zhang et al. 2019)",
    agents="cells or participants",
    actions="Discrete(P + 1): ask for none or one of P participants; or Discrete(X): the cell a participant goes to",
    module="crowdgym.envs.sensing_v0",
    settings="crowdgym.configs.sensing:SensingSettings",
    objective=Objective("error", -1),
    metrics=(
        Metric("error", "aggregated sensing error, Eq. (15) of the paper", places=4),
        Metric("cost_km", "travel per participant and cycle, Eq. (16) of the paper, km", "cost, km", places=2),
    ),
    traced={
        "participant_cell": TracedQuantity("participant"),
        "travel_km": TracedQuantity("participant", exact=False),
        "crowd": TracedQuantity("cell"),
        "cell_error": TracedQuantity("cell", exact=False),
    },
    default_policy="uns-ta",
    solution_checker="crowdgym.verification.sensing.trace:broken_rules",
    scene="crowdgym.envs.sensing.scene:scene",
)
