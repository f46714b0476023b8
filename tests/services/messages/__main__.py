"""
Write golden messages for events that have none.
"""

from __future__ import annotations

import sys

from tests.services.messages.goldens import write_new


sys.stdout.writelines(f"{name}\n" for name in write_new())
