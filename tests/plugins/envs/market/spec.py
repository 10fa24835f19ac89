"""The specification of ``market_v0``."""

from crowdgym.envs.api.spec import Bound, EnvironmentSpec, Metric, Objective, TracedQuantity

SPEC = EnvironmentSpec(
    name="market_v0",
    about="sellers choose how much to sell",
    agents="sellers",
    actions="Discrete(3): units to sell",
    module="crowdgym.envs.market.env",
    settings="crowdgym.envs.market.env:MarketSettings",
    objective=Objective("revenue", 1),
    metrics=(Metric("revenue", "prices of all sold units", places=1), Metric("illegal", "forbidden actions", places=1)),
    traced={"left": TracedQuantity("agent")},
    default_policy="random",
    bound=Bound("revenue", "crowdgym.envs.market.env:revenue_bound"),
    solution_checker="crowdgym.envs.market.env:broken_rules",
)
