"""Checks that the seed and the actions, and nothing else, decide what happens: whole episodes, to the last byte."""

from dataclasses import replace

from crowdgym.testing.check_episode import PINS, Episode, GlobalRandomState, Moment, fresh, pinned_random_state, replay
from crowdgym.testing.check_report import Finding
from crowdgym.testing.check_subject import Subject
from crowdgym.testing.check_values import first_difference


def check_determinism(subject: Subject) -> Finding | None:
    """Two new environments with the same seed and actions return the same values until the episode ends."""

    def look(episode: Episode) -> Finding | None:
        with fresh(subject.factory) as env:
            finding = replay(env, episode)
        context = "two new environments, the same seed and actions"
        return finding and replace(finding, check="determinism", context=context)

    return subject.first(look)


def check_global_random_state(subject: Subject) -> Finding | None:
    """The environment does not draw from, seed or read the generators of ``random`` and ``numpy.random``."""
    episode = subject.episode(subject.seeds[0])
    with pinned_random_state() as pinned:
        pass

    def look(moment: Moment | None) -> Finding | None:
        changed = pinned.changed(GlobalRandomState.now())
        step = None if moment is None else moment.step
        what = f"the global state of {changed}"
        return Finding("", what, "left alone", "drawn from or seeded", step) if changed else None

    with fresh(subject.factory) as env:
        finding = look(None)
        if finding is not None:
            return replace(finding, check="global_random_state", context="in the constructor")
        finding = replay(env, episode, after=look)
    if finding is not None:
        return replace(finding, check="global_random_state")
    with fresh(subject.factory, pin=PINS[1]) as env:
        finding = replay(env, episode)
    context = "np.random.seed and random.seed were called with another number beforehand"
    return finding and replace(finding, check="global_random_state", context=context)


def check_repetition(subject: Subject) -> Finding | None:
    """An episode does not depend on what was played before it: half an episode of another seed, or itself."""
    episode, other = (subject.episode(seed) for seed in subject.seeds[:2])
    with fresh(subject.factory) as env:
        finding = replay(env, other, end=other.middle)
        context = f"the same environment for another episode, of seed {other.seed}"
        if finding is None:
            finding = replay(env, episode)
            context = f"after half an episode of seed {other.seed} in the same environment"
        if finding is None:
            finding = replay(env, episode)
            context = "after the same episode in the same environment"
    return finding and replace(finding, check="repetition", context=context)


def check_instances(subject: Subject) -> Finding | None:
    """Two environments that are stepped in turns do not affect each other."""
    episodes = [subject.episode(seed) for seed in subject.seeds[:2]]
    with fresh(subject.factory) as first, fresh(subject.factory) as second:
        for step in range(max(len(episode.moments) for episode in episodes)):
            for env, episode in zip((first, second), episodes, strict=True):
                finding = replay(env, episode, step, step + 1)
                if finding is not None:
                    return replace(finding, check="instances", context="another environment was stepped in turns")
    return None


def check_seeds(subject: Subject) -> Finding | None:
    """Seeds matter: the observations of two seeds differ somewhere in the episode."""
    episodes = [subject.episode(seed) for seed in subject.seeds]
    seen = [[moment.observations for moment in episode.moments] for episode in episodes]
    if any(first_difference(seen[0], other) is not None for other in seen[1:]):
        return None
    steps = len(seen[0]) - 1
    seeds = ", ".join(map(str, subject.seeds))
    return Finding("seeds", "observations", f"some difference between seeds {seeds}", f"none in {steps} steps")
