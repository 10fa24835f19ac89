"""OSMnx's settings for as long as they are needed: its servers, no cache folder of its own, no endless retries."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlparse

REASONS = {429: "it is busy with other requests", 504: "it is overloaded, or the area is too large for it"}


@dataclass(frozen=True)
class Endpoints:
    """Servers that `fetch_place` and `fetch_bbox` ask; None is the public server that OSMnx names.

    Attributes:
        overpass_url: base address of an Overpass API, without ``/interpreter``.
        nominatim_url: base address of a Nominatim service, without ``/search``.
        timeout_s: how long to wait for an answer, in seconds.
    """

    overpass_url: str | None = None
    nominatim_url: str | None = None
    timeout_s: float = 180.0


DEFAULT_ENDPOINTS = Endpoints()


class RefusedError(Exception):
    """A server answered, but with an error."""


@contextmanager
def osmnx_settings(endpoints: Endpoints, *, bidirectional: bool) -> Iterator[str]:
    """Set OSMnx's global settings within a ``with`` block, and put back what they were (not for several threads).

    An answer is not cached: what is built from it is kept as a whole. OSMnx waits for a minute and tries again, for
    ever, when a server is busy, so every answer is looked at before OSMnx sees it.

    Yields:
        The names of the servers, for messages.
    """
    from osmnx import settings

    changes: dict[str, Any] = {
        "use_cache": False,
        "requests_timeout": endpoints.timeout_s,
        "requests_kwargs": {**settings.requests_kwargs, "hooks": {"response": _check_answer}},
        "overpass_rate_limit": False,  # asking for a free slot first: a busy server says so itself
        "doh_url_template": None,
        "bidirectional_network_types": ["walk", "drive"] if bidirectional else ["walk"],
    }
    if endpoints.overpass_url is not None:
        changes["overpass_url"] = endpoints.overpass_url
    if endpoints.nominatim_url is not None:
        changes["nominatim_url"] = endpoints.nominatim_url
    before = {name: getattr(settings, name) for name in changes}
    resolve = socket.getaddrinfo  # which OSMnx replaces
    try:
        for name, value in changes.items():
            setattr(settings, name, value)
        yield " or ".join(
            dict.fromkeys(urlparse(url).netloc for url in (settings.overpass_url, settings.nominatim_url))
        )
    finally:
        socket.getaddrinfo = resolve
        for name, value in before.items():
            setattr(settings, name, value)


def _check_answer(response: Any, *_: Any, **__: Any) -> None:
    """Refuse what OSMnx would retry for ever, or take for an answer although it is a part of one.

    Raises:
        RefusedError: a status that is not a success, or an Overpass remark about an error in the middle of the answer.
    """
    server = urlparse(response.url).netloc
    if not response.ok and not response.is_redirect:
        reason = REASONS.get(response.status_code, response.reason)
        raise RefusedError(f"{server} answered HTTP {response.status_code} ({reason}); try again later")
    if b'"remark"' in response.content:
        try:
            remark = response.json().get("remark", "")
        except (ValueError, AttributeError):
            return  # not an answer of Overpass: OSMnx says so
        if "error" in str(remark):
            raise RefusedError(f"{server} answered only in part ({remark}); ask for a smaller area, or try again later")
