"""
Where the acceptance tests find their data.
"""

from __future__ import annotations

import os

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the data sets; it stands beside the checkout or is named by CLIENTELA_DATA."""
    folder = Path(os.environ.get("CLIENTELA_DATA", "../shared/data")).resolve()
    assert folder.is_dir(), f"no data at {folder}: README says where each set can be had"
    return folder
