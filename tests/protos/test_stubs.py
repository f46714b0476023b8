import subprocess
import sys

from tests.protos.wire import ROOT


def test_generating_the_stubs_again_changes_nothing():
    """
    The stubs beside the protos are what the protos and the pinned generator make.
    """
    done = subprocess.run(
        [sys.executable, ROOT / "protos" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stdout)
