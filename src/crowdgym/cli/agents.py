"""``crowdgym agents``: list policies and learners."""

from typing import Annotated, Any

import typer

from crowdgym.cli.shared.options import AsJson, environment
from crowdgym.cli.shared.output import print_json, print_listing

app = typer.Typer()


@app.command()
def agents(
    env: Annotated[str | None, environment("Only the agents that play this environment.", "[ENV]")] = None,
    as_json: AsJson = False,
) -> None:
    """List policies and learners.

    A policy is played without training. A learner is trained with 'crowdgym train'. If CrowdGym has weights of a
    learner for a scenario, the name of the learner is also a policy.
    """
    policies, learners = _policies(env), _learners(env)
    if as_json:
        print_json({"policies": policies, "learners": learners})
        return
    rows = [[one["name"], ", ".join(one["environments"]) or "every", one["about"]] for one in policies]
    print_listing("policies ('crowdgym run ENV --agent NAME')", ["name", "environments", "about"], rows)
    learnt = [[one["name"], ", ".join(one["weights"]) or "none", one["about"]] for one in learners]
    print_listing("learners ('crowdgym train NAME ENV')", ["name", "packaged weights", "about"], learnt)


def _policies(env: str | None) -> list[dict[str, Any]]:
    """An empty list of environments stands for all environments."""
    from crowdgym.policies import all_policies

    return [
        {"name": one.name, "environments": list(one.environments or ()), "about": one.about}
        for one in all_policies()
        if env is None or one.environments is None or env in one.environments
    ]


def _learners(env: str | None) -> list[dict[str, Any]]:
    from crowdgym.learners import find_learner, learner_names
    from crowdgym.policies import trained_scenarios
    from crowdgym.registration import environment_names

    found = []
    for name in learner_names():
        played = environment_names() if env is None else (env,)
        weights = [f"{where} {scenario}" for where in played for scenario in trained_scenarios(name, where)]
        found.append({"name": name, "weights": weights, "about": find_learner(name).about})
    return found
