"""The leaderboard: entries that anyone can replay, their ranks, and a site of plain HTML. See `docs/leaderboard.md`."""
