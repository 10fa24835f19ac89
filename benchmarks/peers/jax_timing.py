"""How a peer in JAX is timed: a jitted and vmapped step a call, and the fused scan over many steps."""

from collections.abc import Callable
from typing import Any

import jax
from timing import Variant, time_calls

MOST_SCANNED = 64  # steps in one scan
MOST_SCANNED_BYTES = 200_000_000  # of observations that a scan puts out


def jax_variants(
    step: Callable[[Any, Any], tuple[Any, Any]],
    state: Any,
    actions_of: Callable[[jax.Array, int], Any],
    copies: int,
    agents: int,
    observation_numbers: int,
    runs: int,
    run_s: float,
) -> list[Variant]:
    """Time both ways. What the agents see is always put out, as a policy outside would need it.

    Args:
        step: from the states of all copies and their actions to the next states, and what is put out.
        state: of all copies, after the reset.
        actions_of: from a key and a number of steps to the actions of so many steps, leading axis first.
        copies: stepped side by side.
        agents: of each copy.
        observation_numbers: that each agent sees.
        runs: how often each way is measured.
        run_s: about how long a run lasts, in seconds.
    """
    in_scan = min(MOST_SCANNED, max(4, MOST_SCANNED_BYTES // (4 * copies * agents * observation_numbers)))
    single, scanned = jax.jit(step), jax.jit(lambda state, actions: jax.lax.scan(step, state, actions))
    variants = []
    for how, play, steps in (("a call a step", single, 1), ("fused scan", scanned, in_scan)):
        present, key = state, jax.random.key(0)

        def prepare(steps: int = steps) -> Any:
            nonlocal key
            key, drawn = jax.random.split(key)
            actions = actions_of(drawn, steps)
            return jax.block_until_ready(jax.tree.map(lambda a: a[0], actions) if steps == 1 else actions)

        def call(actions: Any, play: Any = play) -> None:
            nonlocal present
            present, seen = play(present, actions)
            jax.block_until_ready((present, seen))

        timed = time_calls(prepare, call, runs, run_s)
        variants.append(Variant(how, copies, agents, observation_numbers, steps, *timed))
    return variants
