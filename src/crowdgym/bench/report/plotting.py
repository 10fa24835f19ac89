"""Figures of Matplotlib that need no display, as PNG files that are the same for the same content."""

import io
from typing import Any


def new_figure(width_inches: float, height_inches: float, dpi: int) -> Any:
    """A ``matplotlib.figure.Figure`` to draw on. Matplotlib is imported only now: it takes its time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, height_inches), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: Any) -> bytes:
    """The figure as a PNG file, without the version of Matplotlib in it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
