"""
Write golden files for events that have none.
"""

from __future__ import annotations

import sys

from tests.domain.events.goldens import write_new


sys.stdout.writelines(f"{name}\n" for name in write_new())
