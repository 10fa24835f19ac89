"""Dispatchers of ``dasc_v0`` that learn nothing."""

from crowdgym.agents.catalogue import PolicySpec

_ONLY = ("dasc_v0",)

POLICIES = (
    PolicySpec(
        "greedy",
        "nearest able worker; subtasks in order of latest finish",
        "crowdgym.agents.dasc.greedy:DascGreedy",
        _ONLY,
    ),
    PolicySpec(
        "recommend-all",
        "every subtask that may be assigned asks for a worker; the matching decides",
        "crowdgym.agents.dasc.recommend_all:RecommendAll",
        _ONLY,
    ),
    PolicySpec(
        "critical-path",
        "subtasks with the least slack first; the others wait",
        "crowdgym.agents.dasc.critical_path:CriticalPath",
        _ONLY,
    ),
    PolicySpec(
        "rolling-horizon",
        "at every epoch the best assignment of workers, idle or soon idle, to the next subtasks",
        "crowdgym.agents.dasc.rolling_horizon:RollingHorizon",
        _ONLY,
    ),
    PolicySpec(
        "task-schedule",
        "at every epoch a schedule of whole tasks, improved by search; what is due is dispatched",
        "crowdgym.agents.dasc.task_schedule:TaskSchedule",
        _ONLY,
    ),
)
