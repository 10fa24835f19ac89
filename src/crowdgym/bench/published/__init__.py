"""Figures from papers, typed in with their source, to be shown beside ours."""
