"""The site of the leaderboard: plain HTML, complete without JavaScript. The same entries give the same bytes."""

from crowdgym.leaderboard.site.building import build_site

__all__ = ["build_site"]
