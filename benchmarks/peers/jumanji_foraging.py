"""Jumanji, LevelBasedForaging on a grid of 20 x 20 with 10 pieces of food: jitted, vmapped, on the CPU."""

from typing import Any

import jax
from jax_timing import jax_variants
from jumanji.environments import LevelBasedForaging
from jumanji.environments.routing.lbf.generator import RandomGenerator
from timing import arguments, report

GRID, FOOD = 20, 10

chosen = arguments(__doc__, copies=32)
generator = RandomGenerator(grid_size=GRID, num_agents=chosen.agents, num_food=FOOD, fov=GRID)
env = LevelBasedForaging(generator=generator, time_limit=10**9)
state, first = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.key(0), chosen.copies))


def step(state: Any, actions: jax.Array) -> tuple[Any, Any]:
    """Step all copies."""
    state, timestep = jax.vmap(env.step)(state, actions)
    return state, (timestep.observation, timestep.reward, timestep.step_type)


def actions_of(key: jax.Array, steps: int) -> jax.Array:
    """Random actions; an illegal one is a no-op."""
    return jax.random.randint(key, (steps, chosen.copies, chosen.agents), 0, 6)


width = first.observation.agents_view.shape[-1]
variants = jax_variants(step, state, actions_of, chosen.copies, chosen.agents, width, chosen.runs, chosen.run_s)
report(variants, ["jumanji", "jax", "jaxlib"])
