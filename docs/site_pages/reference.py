"""Pages of the API: the interfaces, whose docstrings are Markdown, and the modules that users import."""

from crowdgym.common.entry_points import load_entry_point
from site_pages.markdown import docstring_of

INTERFACES = (
    "crowdgym.envs.api.parallel_env:BaseParallelEnv",
    "crowdgym.envs.api.vector_env:BaseVectorEnv",
    "crowdgym.envs.api.dispatcher_env:BaseDispatcherEnv",
    "crowdgym.envs.api.turn_env:TurnEnv",
    "crowdgym.envs.api.turn_vector_env:BaseTurnVectorEnv",
)

MODULES = (
    "crowdgym",
    "crowdgym.runner",
    "crowdgym.policies",
    "crowdgym.learners",
    "crowdgym.agents.policy",
    "crowdgym.agents.catalogue",
    "crowdgym.agents.row_policy",
    "crowdgym.agents.learning.trainer",
    "crowdgym.common.errors",
    "crowdgym.common.layout",
    "crowdgym.configs.loading",
    "crowdgym.data.registry",
    "crowdgym.data.dataset",
    "crowdgym.data.roads",
    "crowdgym.envs.api.definition",
    "crowdgym.envs.api.spec",
    "crowdgym.integrations.sb3",
    "crowdgym.testing",
    "crowdgym.traces",
    "crowdgym.wrappers",
)


def interface_page() -> str:
    """What holds for every environment, by interface."""
    parts = ["# The interfaces of all environments", "What holds for every environment, whatever its rules are."]
    for entry_point in INTERFACES:
        found = load_entry_point(entry_point)
        parts += [f"## `{found.__module__}.{found.__name__}`", docstring_of(found, deeper=1, to_docs="../")]
    return "\n\n".join(parts) + "\n"


def reference_pages() -> dict[str, str]:
    """A page for each module."""
    return {f"{module}.md": _page(module) for module in MODULES}


def _page(module: str) -> str:
    members = "   :members:\n   :imported-members:\n" if _is_package(module) else "   :members:\n"
    return f"# `{module}`\n\n```{{eval-rst}}\n.. automodule:: {module}\n{members}```\n"


def _is_package(module: str) -> bool:
    return hasattr(load_entry_point(f"{module}:__spec__").loader, "is_package") and bool(
        load_entry_point(f"{module}:__spec__").submodule_search_locations
    )
