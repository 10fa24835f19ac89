"""Lists the packages: each folder of the top level is mapped under the one import name ``crowdgym``."""

from setuptools import find_packages, setup

FOLDERS = {"src/crowdgym": "crowdgym", "envs": "crowdgym.envs", "agents": "crowdgym.agents"}
FOLDERS |= {"data": "crowdgym.data", "configs": "crowdgym.configs"}
setup(
    packages=[
        name for folder, root in FOLDERS.items() for name in (root, *(f"{root}.{sub}" for sub in find_packages(folder)))
    ]
)
