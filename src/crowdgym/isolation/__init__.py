"""Plays a policy in a process of its own, which holds no environment and no seed of it.

`crowdgym.isolation.policy.IsolatedPolicy` is the policy as the runner sees it, `crowdgym.isolation.worker` the other
process, and `crowdgym.isolation.messages` what goes between them.
"""
