"""The specification of ``preference_v0``."""

from crowdgym.envs.api.spec import Bound, EnvironmentSpec, Metric, Objective, TracedQuantity

SPEC = EnvironmentSpec(
    name="preference_v0",
    about="preference-aware task assignment with federated centres: workers may decline (after TA-FPL, CIKM 2022)",
    agents="workers",
    actions="Discrete(K + 1): offer the worker nothing, or one of the K nearest tasks that it can reach in time",
    module="crowdgym.envs.preference_v0",
    settings="crowdgym.configs.preference:PreferenceSettings",
    objective=Objective("accepted", 1),
    metrics=(
        Metric("offered", "offers made", places=1),
        Metric("accepted", "tasks that a worker accepted", places=1),
        Metric("declined", "offers that a worker declined", places=1),
        Metric("contested", "workers that asked for a task and lost it to a nearer worker", places=1),
        Metric("closed", "tasks closed after too many declines", places=1),
        Metric("expired", "tasks that reached their expiry open", places=1),
        Metric("acceptance_rate", "accepted offers as a share of offers", "acceptance", places=3),
        Metric("preference", "mean true preference of the worker for the category of an accepted task", places=3),
        Metric("travel_m", "length of all ways that workers have driven, m", "travel, km", 1e-3, 1),
        Metric("illegal", "actions that the mask forbade", places=1),
    ),
    traced={
        "worker_status": TracedQuantity("agent"),
        "worker_task": TracedQuantity("agent"),
        "worker_node": TracedQuantity("agent"),
        "worker_goal": TracedQuantity("agent"),
        "outcome": TracedQuantity("agent"),
        "depart_s": TracedQuantity("agent", exact=False),
        "arrive_s": TracedQuantity("agent", exact=False),
        "free_s": TracedQuantity("agent", exact=False),
        "worker_illegal": TracedQuantity("agent"),
        "task_status": TracedQuantity("task"),
        "task_worker": TracedQuantity("task"),
        "declines": TracedQuantity("task"),
        "end_s": TracedQuantity("task", exact=False),
    },
    default_policy="km",
    bound=Bound("accepted", "crowdgym.envs.preference.bound:accepted_bound"),
    solution_checker="crowdgym.verification.preference.trace:broken_rules",
    scene="crowdgym.envs.preference.scene:scene",
)
