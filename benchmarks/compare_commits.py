"""How fast this checkout is beside another one: the same episodes in two processes that take turns.

    git worktree add ../old COMMIT
    python benchmarks/compare_commits.py ../old                          # csc_v0, vector interface, copy=True
    python benchmarks/compare_commits.py ../old --set copy=false --steps 100
    python benchmarks/compare_commits.py ../old --interface dict
    python benchmarks/compare_commits.py ../old --env dasc_v0 --scenario chengdu-synth --copies 16
    python benchmarks/compare_commits.py . --wall --set num_threads=2 --set-old num_threads=1    # two threads and one

Each process plays a few steps while the other one waits, so that both meet the same load of the machine. Times are
processor time of all threads (wall-clock time with ``--wall``). Every episode is played several times. For each stretch
of steps the least of the repeats counts, as whatever else runs on the machine can only add to it. All outputs are
compared: the program stops if the two differ in one bit.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STRETCH = 10  # steps that a process plays before it is the other one's turn
PARTS = {"envs": "envs", "agents": "agents", "data": "data", "configs": "configs"}


class Checkout:
    """A process that plays with the code of a checkout: ``program --play LINKS TASK``.

    The links to the code stay where they are made, since older versions compile anew at every other place.
    """

    def __init__(self, folder: Path, task: dict[str, Any], program: str = __file__) -> None:
        checkout = folder.resolve()
        name = hashlib.blake2b(str(checkout).encode(), digest_size=6).hexdigest()
        links = Path(tempfile.gettempdir()) / "crowdgym-compare" / name
        package = links / "crowdgym"
        package.mkdir(parents=True, exist_ok=True)
        for link in package.iterdir():
            link.unlink()
        for part in (*(checkout / "src/crowdgym").iterdir(), *(checkout / name for name in PARTS)):
            (package / part.name).symlink_to(part)
        command = [sys.executable, program, "--play", str(links), json.dumps(task)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, order: str) -> Any:
        """What the process answers to an order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(order, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("a process that plays has ended; see above")
        return json.loads(answer)


def compare(
    old: Path, new: Path, tasks: tuple[dict[str, Any], dict[str, Any]], steps: int, repeats: int
) -> list[dict[str, Any]]:
    """The stretches of an episode, and of its reset: by name what was played, and the least seconds of either."""
    both = [Checkout(old, tasks[0]), Checkout(new, tasks[1])]
    orders = ["reset", *["step"] * (steps // STRETCH)]
    least = [[float("inf")] * len(orders) for _ in both]
    for repeat in range(repeats + 1):  # the first one compiles and compares, and is not counted
        for stretch, order in enumerate(orders):
            answers = [checkout.ask(f"{order} {'' if repeat else 'digest'}") for checkout in both]
            if answers[0]["digest"] != answers[1]["digest"]:
                raise SystemExit(f"the outputs differ in stretch {stretch}")
            for times, answer in zip(least, answers, strict=True):
                if repeat:
                    times[stretch] = min(times[stretch], answer["took_s"])
    agents = both[0].ask("agents")
    return [
        {"what": order, "agents": agents, "old_s": old_s, "new_s": new_s}
        for order, old_s, new_s in zip(orders, *least, strict=True)
    ]


def report(rows: list[dict[str, Any]]) -> str:
    """Nanoseconds of an agent-step in each third and altogether, milliseconds of the resets, and ratios."""
    steps, agents = [row for row in rows if row["what"] == "step"], rows[0]["agents"]
    third = max(1, len(steps) // 3)
    parts = {
        "first third": steps[:third],
        "second third": steps[third : 2 * third],
        "last third": steps[2 * third :],
        "all steps": steps,
    }
    lines = [f"{'':<24}{'old':>10}{'new':>10}{'old/new':>9}"]
    for name, some in parts.items():
        per = 1e9 / (agents * STRETCH * len(some))
        old, new = (sum(row[which] for row in some) * per for which in ("old_s", "new_s"))
        lines.append(f"{name + ', ns':<24}{old:>10.0f}{new:>10.0f}{old / new:>9.2f}")
    reset, everything = rows[:1], rows
    for name, some in (("reset of all copies, ms", reset), ("reset and steps, ms", everything)):
        old, new = (1e3 * sum(row[which] for row in some) for which in ("old_s", "new_s"))
        lines.append(f"{name:<24}{old:>10.1f}{new:>10.1f}{old / new:>9.2f}")
    return "\n".join(lines)


def play(task: dict[str, Any]) -> None:
    """Answer orders: play, and tell how long it took and what the outputs were."""
    import numpy as np

    import crowdgym
    from crowdgym.registration import environment_spec

    clock = time.perf_counter if task["wall"] else time.process_time
    keywords = {"scenario": task["scenario"], **task["keywords"]}
    if task["interface"] == "dict":
        env: Any = crowdgym.make(task["env"], **keywords)
    else:
        import gymnasium

        name = environment_spec(task["env"]).registered_name
        env = gymnasium.make_vec(name, num_envs=task["copies"], autoreset_mode="Disabled", **keywords)
    mask: Any = None
    generator: Any = None
    names: list[str] = []

    def masks(infos: Any) -> Any:
        if task["interface"] == "dict":
            return np.array([info["action_mask"] for info in infos.values()])
        return infos["action_mask"].copy()

    def digest(*outputs: Any) -> int:
        found = hashlib.blake2b(digest_size=6)
        for output in outputs:
            _feed(found, output)
        return int.from_bytes(found.digest(), "big")

    for line in sys.stdin:
        order, *wanted = line.split()
        if order == "agents":
            answer: Any = len(mask)
        elif order == "reset":
            generator = np.random.default_rng(0)
            began = clock()
            observations, infos = env.reset(seed=task["seed"])
            took_s = clock() - began
            names, mask = list(infos), masks(infos)
            answer = {"took_s": took_s, "digest": digest(observations, infos) if wanted else 0}
        else:
            took_s, found = 0.0, 0
            for _ in range(STRETCH):
                lots = generator.random(mask.shape, np.float32)
                actions = np.where(mask > 0, lots, -1.0).argmax(axis=1)
                given: Any = dict(zip(names, actions.tolist(), strict=True)) if task["interface"] == "dict" else actions
                began = clock()
                outputs = env.step(given)
                took_s += clock() - began
                mask = masks(outputs[-1])
                found ^= digest(*outputs) if wanted else 0
            answer = {"took_s": took_s, "digest": found}
        print(json.dumps(answer), flush=True)


def _feed(found: Any, output: Any) -> None:
    import numpy as np

    if isinstance(output, dict):
        for name, value in output.items():
            found.update(str(name).encode())
            _feed(found, value)
    else:
        found.update(np.ascontiguousarray(output).tobytes())


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("old", type=Path, help="a checkout of the other version")
    parser.add_argument("--env", default="csc_v0")
    parser.add_argument("--scenario", default="chengdu-synth")
    parser.add_argument("--interface", choices=("vector", "dict"), default="vector")
    parser.add_argument("--copies", type=int, default=32)
    parser.add_argument("--steps", type=int, default=170)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wall", action="store_true", help="wall-clock time: for several threads")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=JSON", help="a keyword of the environment")
    parser.add_argument("--set-old", action="append", default=[], metavar="KEY=JSON", help="the same, of OLD only")
    chosen = parser.parse_args()
    task = {name: getattr(chosen, name) for name in ("env", "scenario", "interface", "copies", "seed", "wall")}
    new = {**task, "keywords": keywords_of(chosen.set)}
    old = {**task, "keywords": keywords_of(chosen.set) | keywords_of(chosen.set_old)}
    rows = compare(chosen.old, Path(__file__).parents[1], (old, new), chosen.steps, chosen.repeats)
    print(report(rows))


def keywords_of(assignments: list[str]) -> dict[str, Any]:
    """``KEY=JSON`` as a dict."""
    return {key: json.loads(value) for key, _, value in (item.partition("=") for item in assignments)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        sys.path.insert(0, sys.argv[2])
        play(json.loads(sys.argv[3]))
    else:
        main()
