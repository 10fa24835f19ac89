"""CrowdGym's IPPO, with its network for sets (``--variant attention``) or with an mlp as the other libraries have."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

from setting import COPIES, EPISODE_STEPS, SETTING, Timer, arguments, compile_first, report

from crowdgym.agents.learning.checkpoint import BEST
from crowdgym.agents.learning.description import DESCRIPTION
from crowdgym.cli.main import app
from crowdgym.policies import load_policy

chosen = arguments(__doc__)
iterations = chosen.steps // (COPIES * EPISODE_STEPS)
values = {
    **{name: value for name, value in SETTING.items() if name != "scenario"},
    "network": chosen.variant or "attention",
    "num_envs": COPIES,
    "evaluation_every": iterations,  # before and after, on two instances: nothing is chosen by them
    "evaluation_episodes": 2,
}
words = ["train", "ippo", "csc_v0", "--scenario", str(SETTING["scenario"]), "--seed", str(chosen.seed)]
words += ["--steps", str(iterations * COPIES * EPISODE_STEPS)]
words += [word for name, value in values.items() for word in ("--set", f"{name}={value}")]

compile_first()
timer = Timer()
with tempfile.TemporaryDirectory() as out:
    folder = Path(out)
    with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing), timer():
        app([*words, "--out", out], standalone_mode=False)
    (folder / BEST).unlink()  # the last weights play, as those of the other libraries do
    description = (folder / DESCRIPTION).read_text(encoding="utf-8")

    def make_policy(likeliest: bool) -> Any:
        """The trained policy."""
        play = "likeliest" if likeliest else "sampled"
        text = description.replace("  play: likeliest\n", f"  play: {play}\n")
        (folder / DESCRIPTION).write_text(text, encoding="utf-8")
        return load_policy(out, "csc_v0")

    report(make_policy, timer.processor_s, ("crowdgym", "torch"))
