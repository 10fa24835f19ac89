"""Makes the entries of CrowdGym's own agents, the first of each board, and runs them by the published rules.

    python -m benchmarks.leaderboard_entries leaderboard/entries --round 2026-1

The agents are those that the suites list. An entry that is there keeps its ``entry.yaml``, and what was run is run
again only with ``--again``.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from crowdgym.agents.information import information_of
from crowdgym.cli.shared.progress import shown_progress
from crowdgym.common.files import write_bytes
from crowdgym.configs.suites import AgentEntry
from crowdgym.execution.jobs import Engine
from crowdgym.execution.processes import ProcessEngine
from crowdgym.leaderboard.boards import Board, boards
from crowdgym.leaderboard.entry import Entry
from crowdgym.leaderboard.execute import execute_hidden, execute_public, yaml_of
from crowdgym.leaderboard.folder import ENTRY, EXECUTION, read_entry, rounds_of
from crowdgym.leaderboard.rounds import Round, read_round, secret_of
from crowdgym.policies import all_policies, load_policy

PLANNERS = ("lookahead", "rolling-horizon", "task-schedule")
LEARNED = {
    ("es", "csc_v0"): "lookahead with prices found by evolution strategy",
    ("es", "dasc_v0"): "task-schedule with nine parameters found by evolution strategy",
    ("ippo", "csc_v0"): "independent PPO, one network for all workers, weights of the scenario",
}


def entry_of(board: Board, agent: AgentEntry) -> Entry:
    """The entry of an agent of a suite."""
    policy = load_policy(agent.policy_name, board.environment, board.suite.scenarios[0], agent.arguments)
    learned = LEARNED.get((agent.policy_name, board.environment))
    about = {
        one.name: one.about
        for one in all_policies()
        if one.environments is None or board.environment in one.environments
    }
    title = learned or about[agent.policy_name]
    given = ", ".join(f"{name} {value}" for name, value in agent.arguments.items())
    kind = "learned" if learned else "planner" if agent.policy_name in PLANNERS else "rule"
    return Entry.model_validate(
        {
            "format": 1,
            "name": agent.name,
            "title": f"{title}; {given}" if given else title,
            "team": "CrowdGym",
            "authors": [{"name": "CrowdGym"}],
            "suite": board.name,
            "information": information_of(policy).value,
            "policy": {"kind": kind, "name": agent.policy_name, "arguments": agent.arguments, "licence": "MIT"},
        }
    )


def main() -> None:
    """Write and run the entries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", type=Path)
    parser.add_argument("--boards", nargs="*", help="names of suites; default: all")
    parser.add_argument("--agents", nargs="*", help="names; default: all of the suites")
    parser.add_argument("--round", help="also play the hidden seeds of this round")
    parser.add_argument("--secret-file", type=Path, help="file with the secret of an open round")
    parser.add_argument("--vault", type=Path, help="folder for the traces of an open round")
    parser.add_argument("--again", action="store_true", help="run entries that were run before")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    wanted = [
        (board, agent)
        for board in boards()
        for agent in board.suite.agents
        if board.name in (options.boards or [board.name]) and agent.name in (options.agents or [agent.name])
    ]
    hidden = None if options.round is None else Hidden.of(options)
    with ProcessEngine(options.jobs) as engine:
        for board, agent in wanted:
            path = options.entries / board.environment / agent.name
            if not (path / ENTRY).exists():
                entry = entry_of(board, agent)
                content = entry.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
                write_bytes(path / ENTRY, yaml_of({"format": 1, **content}))
            run(path, hidden, engine, again=options.again)


@dataclass(frozen=True)
class Hidden:
    """The hidden seeds that are played."""

    round: Round
    secret: str
    vault: Path | None

    @classmethod
    def of(cls, options: argparse.Namespace) -> "Hidden":
        """Those that the options name."""
        found = read_round(rounds_of(options.entries), options.round)
        return cls(found, secret_of(found, options.secret_file), options.vault)


def run(path: Path, hidden: Hidden | None, engine: Engine, *, again: bool) -> None:
    """Run an entry on the public seeds, and on those of a round."""
    folder = read_entry(path)
    total = len(folder.board.cells) * folder.board.suite.episodes
    if again or not (path / EXECUTION).exists():
        with shown_progress(total) as progress:
            print(path, execute_public(folder, engine, progress.advance).scores, flush=True)
    if hidden is not None and (again or hidden.round.name not in {one.round for one in folder.hidden}):
        with shown_progress(total) as progress:
            played = execute_hidden(folder, hidden.round, hidden.secret, hidden.vault, engine, progress.advance)
        print(path, hidden.round.name, played.scores, flush=True)


if __name__ == "__main__":
    main()
