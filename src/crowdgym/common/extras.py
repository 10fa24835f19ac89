"""The packages that CrowdGym needs for some things only, and the extra that installs each.

The extras are those of ``pyproject.toml``. What needs none of them: environments, policies without learning, benchmark
suites, replays and pictures on the embedded cities.
"""

EXTRAS = {
    "torch": "agents",
    "safetensors": "agents",
    "tensorboard": "agents",
    "cma": "agents",
    "stable_baselines3": "agents",
    "sb3_contrib": "agents",
    "osmnx": "data",
    "geopandas": "data",
    "pyogrio": "data",
    "pandas": "data",
    "pyarrow": "data",
    "osmium": "osm",
    "sklearn": "svr",
    "optuna": "sweep",
    "ray": "ray",
    "submitit": "slurm",
}


def needs(what: str, package: str) -> str:
    """One sentence: ``what`` needs a package of an extra, and what to type to get it."""
    return f"{what} needs the package {package}, which is not installed: pip install 'crowdgym[{EXTRAS[package]}]'"


def missing_package(error: ModuleNotFoundError, what: str = "this") -> str | None:
    """`needs`, where an import failed; None if it is no package of an extra."""
    package = (error.name or "").partition(".")[0]
    return needs(what, package) if package in EXTRAS else None
