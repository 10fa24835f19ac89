"""Histories of workers: which places and categories they chose before, kept apart by centre."""

from crowdgym.data.histories.book import CentreHistories, HistoryBook, Places

__all__ = ["CentreHistories", "HistoryBook", "Places"]
