"""How long an iteration of training takes beside another checkout: two processes take turns, iteration by iteration.

    git worktree add ../old COMMIT
    python benchmarks/compare_training.py ../old                    # IPPO, csc_v0, 32 copies, two threads
    python benchmarks/compare_training.py ../old --threads 1 --agent ippo --set num_envs=8

Times are wall-clock time, or processor time with ``--processor``: of each part the median over the iterations, the
first one not counted. The weights of both are compared after every iteration: the last line says whether they are the
same.
"""

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compare_commits import Checkout, keywords_of

PARTS = ("playing", "learning", "an iteration")


def compare(old: Path, new: Path, task: dict[str, Any], iterations: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What each iteration took in either checkout; the first one is a warm-up."""
    both = [Checkout(checkout, task, __file__) for checkout in (old, new)]
    found = []
    for number in range(iterations + 1):
        found.append(tuple(checkout.ask(str(number)) for checkout in both))
        print("seconds:", *(f"{each['parts']['an iteration']:.2f}" for each in found[-1]), file=sys.stderr, flush=True)
    return [(first, second) for first, second in found]


def report(rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """Seconds of each part, and ratios with their range."""
    lines = [f"{'':<24}{'old, s':>10}{'new, s':>10}{'old/new':>9}"]
    for part in PARTS:
        pairs = [(old["parts"][part], new["parts"][part]) for old, new in rows[1:]]
        medians = [statistics.median(times) for times in zip(*pairs, strict=True)]
        ratios = [old / new for old, new in pairs]
        lines.append(
            f"{part:<24}{medians[0]:>10.2f}{medians[1]:>10.2f}{statistics.median(ratios):>9.2f}"
            f" ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    same = sum(old["weights"] == new["weights"] for old, new in rows)
    lines.append(f"decisions an iteration: {rows[-1][1]['decisions']:,.0f}")
    lines.append(f"weights are the same to the bit after {same} of {len(rows)} iterations")
    return "\n".join(lines)


def play(task: dict[str, Any]) -> None:
    """Answer orders: run the iteration of a number, and tell how long its parts took."""
    import torch

    from crowdgym.learners import find_learner
    from crowdgym.training.hyperparameters import split_keywords
    from crowdgym.training.plan import TrainingPlan

    torch.set_num_threads(task["threads"])
    clock = time.process_time if task["processor"] else time.perf_counter
    learner = find_learner(task["agent"])
    keywords, settings = split_keywords(learner, task["env"], {"scenario": task["scenario"], **task["keywords"]})
    plan = TrainingPlan(
        agent=task["agent"],
        learner=learner,
        environment=task["env"],
        keywords=keywords,
        settings=settings,
        steps=10**8,
        seed=0,
        threads=task["threads"],
        device="cpu",
        command="",
    )
    trainer: Any = plan.make_trainer()
    trainer.begin(fresh=True)
    spent: dict[str, float] = {}
    _timed(trainer.training, "collect", spent, clock)
    for line in sys.stdin:
        began = clock()
        figures = trainer.iterate(int(line))
        took_s = clock() - began
        parts = {
            "playing": spent["collect"],
            "learning": took_s - spent["collect"],
            "an iteration": took_s,
        }
        weights = hashlib.blake2b(digest_size=6)
        for tensor in trainer.policy_tensors().values():
            weights.update(tensor.detach().numpy().tobytes())
        answer = {"parts": parts, "weights": weights.hexdigest(), "decisions": figures["decisions"]}
        print(json.dumps(answer), flush=True)


def _timed(owner: Any, name: str, spent: dict[str, float], clock: Callable[[], float]) -> None:
    """Make a method of an object write down how long its last call took."""
    method = getattr(owner, name)

    def timed(*arguments: Any, **keywords: Any) -> Any:
        began = clock()
        result = method(*arguments, **keywords)
        spent[name] = clock() - began
        return result

    setattr(owner, name, timed)


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("old", type=Path, help="a checkout of the other version")
    parser.add_argument("--agent", default="ippo")
    parser.add_argument("--env", default="csc_v0")
    parser.add_argument("--scenario", default="chengdu-synth")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--processor", action="store_true", help="processor time in place of wall-clock time")
    parser.add_argument("--set", action="append", default=["num_envs=32"], metavar="KEY=JSON", help="as in train")
    chosen = parser.parse_args()
    task = {name: getattr(chosen, name) for name in ("agent", "env", "scenario", "threads", "processor")}
    task["keywords"] = keywords_of(chosen.set)
    print(report(compare(chosen.old, Path(__file__).parents[1], task, chosen.iterations)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        sys.path.insert(0, sys.argv[2])
        play(json.loads(sys.argv[3]))
    else:
        main()
