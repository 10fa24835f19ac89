"""Sends moments to the process of a policy: through shared memory, where the system has it."""

import socket
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.isolation import messages, shared
from crowdgym.isolation.conversation import Conversation
from crowdgym.isolation.moments import Arrays, Kinds, Layout, kinds_of


class MomentSender:
    """Sends moments, and before the first of each layout the layout.

    Args:
        conversation: with the process.
        descriptors: the connection on which it gets the shared memory.
    """

    def __init__(self, conversation: Conversation, descriptors: socket.socket) -> None:
        self._conversation, self._descriptors = conversation, descriptors
        self._kinds: Kinds = []
        self._blocks: list[list[NDArray[Any]]] = []  # two if they are shared; that of the next moment first
        self._message: bytearray | None = None

    def ask(self, arrays: Arrays) -> messages.Message:
        """Send a moment and wait for the answer. Raises `PolicyFaultError`, see `Conversation.answer`."""
        kinds = kinds_of(arrays)
        if kinds != self._kinds or self._conversation.keeps:
            self._begin(Layout.of(arrays))
            self._kinds = kinds
        views = self._blocks[0]
        self._blocks.reverse()
        for view, array in zip(views, arrays.values(), strict=True):
            np.copyto(view, array)
        return self._conversation.ask(messages.ACT, [] if self._message is None else [memoryview(self._message)])

    def _begin(self, layout: Layout) -> None:
        self._conversation.keeps = False
        if not shared.CAN_SHARE:
            self._conversation.begin(messages.LAYOUT, [layout.to_json()])
            self._message = bytearray(layout.num_bytes)
            self._blocks = [layout.views(self._message)]
            return
        self._conversation.begin(messages.SHARED_LAYOUT, [layout.to_json()])
        descriptor = shared.create(2 * layout.num_bytes)
        shared.send(self._descriptors, descriptor)
        self._blocks = [layout.views(block) for block in shared.halves(descriptor)]
