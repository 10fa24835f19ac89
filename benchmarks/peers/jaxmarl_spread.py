"""JaxMARL, MPE simple_spread: jitted, vmapped, on the CPU; without the automatic reset."""

from typing import Any

import jax
import jaxmarl
from jax_timing import jax_variants
from timing import arguments, report

chosen = arguments(__doc__, copies=32)
env = jaxmarl.make("MPE_simple_spread_v3", num_agents=chosen.agents, num_landmarks=chosen.agents)
observations, state = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.key(0), chosen.copies))
keys = jax.random.split(jax.random.key(1), chosen.copies)


def step(state: Any, actions: dict[str, jax.Array]) -> tuple[Any, Any]:
    """Step all copies."""
    observations, state, rewards, dones, _ = jax.vmap(env.step_env)(keys, state, actions)
    return state, (observations, rewards, dones)


def actions_of(key: jax.Array, steps: int) -> dict[str, jax.Array]:
    """Random actions; all five are legal."""
    drawn = jax.random.randint(key, (chosen.agents, steps, chosen.copies), 0, 5)
    return dict(zip(env.agents, drawn, strict=True))


width = observations[env.agents[0]].shape[-1]
variants = jax_variants(step, state, actions_of, chosen.copies, chosen.agents, width, chosen.runs, chosen.run_s)
report(variants, ["jaxmarl", "jax", "jaxlib"])
