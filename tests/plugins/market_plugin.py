"""What a package of one's own does so that ``market_plugin:market_v0`` is an environment: it registers it on import."""

from pathlib import Path

import crowdgym
import crowdgym.envs

crowdgym.envs.__path__.append(str(Path(__file__).parent / "envs"))
crowdgym.register(crowdgym.environment_spec("market_v0"))
