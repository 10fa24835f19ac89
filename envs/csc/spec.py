"""The specification of ``csc_v0``."""

from crowdgym.envs.api.spec import Bound, EnvironmentSpec, Metric, Objective, TracedQuantity

SPEC = EnvironmentSpec(
    name="csc_v0",
    about="collaborative spatial crowdsourcing: several workers share one task (Chen et al., IJCAI 2025)",
    agents="workers",
    actions="Discrete(K + 1): wait, or take one of the K nearest tasks of its skills",
    module="crowdgym.envs.csc_v0",
    settings="crowdgym.configs.csc:CscSettings",
    objective=Objective("revenue", 1),
    metrics=(
        Metric("revenue", "payments of all finished tasks"),
        Metric("completed", "tasks that finished before their deadline", places=1),
        Metric("expired", "tasks that reached their deadline unfinished", places=1),
        Metric("travel_m", "length of all ways that workers have driven, m", "travel, km", 1e-3, 1),
        Metric("illegal", "actions that the mask forbade", places=1),
    ),
    traced={
        "worker_status": TracedQuantity("agent"),
        "worker_task": TracedQuantity("agent"),
        "worker_node": TracedQuantity("agent"),
        "worker_goal": TracedQuantity("agent"),
        "depart_s": TracedQuantity("agent", exact=False),
        "arrive_s": TracedQuantity("agent", exact=False),
        "free_s": TracedQuantity("agent", exact=False),
        "worker_illegal": TracedQuantity("agent"),
        "task_status": TracedQuantity("task"),
        "workers_present": TracedQuantity("task"),
        "workers_en_route": TracedQuantity("task"),
        "end_s": TracedQuantity("task", exact=False),
        "paid": TracedQuantity("task", exact=False),
    },
    default_policy="greedy",
    bound=Bound("revenue", "crowdgym.envs.csc.bound:revenue_bound"),
    solution_checker="crowdgym.verification.csc.trace:broken_rules",
    scene="crowdgym.envs.csc.scene:scene",
)
