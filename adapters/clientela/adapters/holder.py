"""
How a process is called that holds a lease: operators find it by its name, which no other bears.
"""

from __future__ import annotations

import os
import socket

from clientela.services.fresh_ids import new_id


HOST_LENGTH_MAX = 18
"""Characters told of the machine's name, or the pod's: its end, which tells pods apart."""


def new_holder() -> str:
    """
    A name for who holds leases: machine, number of the process, an id of its own.

    Returns:
        For instance `till-2:4711/0198...`, up to `leases.NAME_LENGTH_MAX` characters.
    """
    return f"{socket.gethostname()[-HOST_LENGTH_MAX:]}:{os.getpid()}/{new_id()}"
