"""The player: recorded episodes as one HTML file that needs no network; see `docs/player.md`."""
