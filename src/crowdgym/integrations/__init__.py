"""What other people's libraries need to run CrowdGym: a module for each, none imported before it is asked for.

Most libraries need nothing of ours; ``docs/libraries.md`` says which, and how each is plugged in.
"""
