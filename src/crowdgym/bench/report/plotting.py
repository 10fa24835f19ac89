"""Makes Matplotlib figures without a display, and PNG files that are the same for the same content."""

import io
from typing import Any


def new_figure(width_inches: float, height_inches: float, dpi: int) -> Any:
    """An empty ``matplotlib.figure.Figure``. Matplotlib is imported here because its import is slow."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, height_inches), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: Any) -> bytes:
    """The figure as a PNG file, without the version of Matplotlib in its metadata."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
