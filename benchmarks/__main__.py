"""
`python -m benchmarks`: measure, print, and write a JSON file and a picture.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile

from pathlib import Path

from benchmarks.codec import CODEC
from benchmarks.flow import FLOW_POSTGRES, FLOW_SQLITE
from benchmarks.goals import GOALS, standings
from benchmarks.growth import CLIENTS, LENGTH
from benchmarks.importing import IMPORTING
from benchmarks.memory import MEMORY
from benchmarks.million import MILLION_POSTGRES, MILLION_SQLITE
from benchmarks.peer import PEER_POSTGRES, PEER_SQLITE
from benchmarks.peer_wire import PEER_WIRE
from benchmarks.permission import PERMISSION
from benchmarks.picture import picture
from benchmarks.projections import PROJECTIONS
from benchmarks.relay import RELAY
from benchmarks.report import figure_lines, goal_lines, machine, write
from benchmarks.rounds import Figures, spreads
from benchmarks.run import Part, Run, rounds_of
from benchmarks.slow import SLOW_POSTGRES, SLOW_SQLITE
from benchmarks.startup import STARTUP
from benchmarks.wire import POSTGRES, SQLITE


PARTS: tuple[Part, ...] = (
    POSTGRES,
    SQLITE,
    CODEC,
    LENGTH,
    CLIENTS,
    PEER_SQLITE,
    PEER_POSTGRES,
    PEER_WIRE,
    MEMORY,
    STARTUP,
    PERMISSION,
    IMPORTING,
    RELAY,
    PROJECTIONS,
    FLOW_SQLITE,
    FLOW_POSTGRES,
    SLOW_SQLITE,
    SLOW_POSTGRES,
    MILLION_SQLITE,
    MILLION_POSTGRES,
)
"""Everything that can be measured, in the order of a round."""

ROUNDS = 7
ROUNDS_MAX = 99
SECONDS = 1.5
SECONDS_QUICKLY = 0.5
CLIENTS_QUICKLY = 200


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ", ".join(f"{part.name} ({part.about})" for part in PARTS)
    parser.add_argument("--only", nargs="+", choices=[p.name for p in PARTS], help=names)
    parser.add_argument("--rounds", type=int, default=0, help=f"{ROUNDS} unless said")
    parser.add_argument("--seconds", type=float, default=0.0, help=f"of one figure, {SECONDS}")
    parser.add_argument("--quick", action="store_true", help="one small round: does it work at all")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="where files go")
    parser.add_argument("--disk", type=Path, help="folder on the disk that is to be measured")
    return parser.parse_args()


def _note(number: int, part: str, figures: Figures) -> None:
    told = ", ".join(f"{key} {figures[key]:.2f}" for key in _KEYS if key in figures)
    print(f"round {number}, {part}: {told}", file=sys.stderr, flush=True)


_KEYS = tuple(goal.key for goal in GOALS)


def main() -> None:
    """Measure what the command line asks for."""
    said = _arguments()
    # So that what was started is ended when the run is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = said.only or [part.name for part in PARTS if not part.is_long]
    parts = tuple(part for part in PARTS if part.name in wanted)
    count = min(said.rounds or (1 if said.quick else ROUNDS), ROUNDS_MAX)
    with tempfile.TemporaryDirectory(prefix="clientela-bench-", dir=said.disk) as folder:
        # PostgreSQL does not run as root: its own user must get at its part of the folder.
        Path(folder).chmod(0o755)
        run = Run(
            folder=Path(folder),
            seconds=said.seconds or (SECONDS_QUICKLY if said.quick else SECONDS),
            is_quick=said.quick,
            **({"clients": CLIENTS_QUICKLY} if said.quick else {}),
        )
        rounds = rounds_of(run, parts, count, _note)
    measured = spreads(rounds)
    stand = standings(measured)
    said.out.mkdir(parents=True, exist_ok=True)
    write(said.out / "bench.json", run, stand, measured, rounds)
    (said.out / "bench.svg").write_text(picture(stand, measured))
    print("\n".join(figure_lines(measured, _KEYS)), "\n")
    print("\n".join(goal_lines(stand)), "\n")
    met = sum(standing.verdict == "met" for standing in stand)
    known = sum(standing.spread is not None for standing in stand)
    print(f"{met} of {known} measured goals are met, {len(stand)} there are; {machine()['when']}")
    if run.is_quick:
        print("Quick: small sizes and short journals; nothing to judge goals by.")
    print(f"Written: {said.out / 'bench.json'}, {said.out / 'bench.svg'}")


if __name__ == "__main__":
    main()
