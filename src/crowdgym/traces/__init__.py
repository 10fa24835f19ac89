"""Traces: files that hold one episode, for regression tests, leaderboards and replay. See `docs/traces.md`."""

from crowdgym.common.errors import TraceError
from crowdgym.traces.comparison import Mismatch, compare
from crowdgym.traces.format import Trace, TraceHeader, read_trace, trace_from_bytes, trace_to_bytes, write_trace
from crowdgym.traces.recording import TraceRecorder
from crowdgym.traces.replaying import replay

__all__ = [
    "Mismatch",
    "Trace",
    "TraceError",
    "TraceHeader",
    "TraceRecorder",
    "compare",
    "read_trace",
    "replay",
    "trace_from_bytes",
    "trace_to_bytes",
    "write_trace",
]
