"""What each policy of the bandit loses against somebody who knows the truth, on worlds that nothing was tuned on.

    python -m benchmarks.regret [--worlds 15]

Plays every policy with the default settings on `world.regret.platforms.REPORTED`, so many worlds of each, for a week of
each surface: sources as arms (`home_clips`, two segments), contents (`watch_next`) and live streamers
(`related_streamers`) of one target. `stationary` holds the busiest moment's arms and chances for the week; on
`drifting` contents are published and removed, broadcasts begin and end, streamers are born, fashions move and requests
follow the hour. Outcomes are learnt when the attribution window has closed. Prints one JSON object: means over worlds
with 95 % bootstrap intervals of the regret in percent of the oracle's successes, of the same in successes, and of the
paired difference to `thompson` in percentage points.
"""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime

from contracts.settings import BanditSettings
from world.regret.commands import reported_seeds
from world.regret.platforms import REPORTED
from world.regret.report import POLICIES, cases, measure, report


def main() -> None:
    """Play, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=15)
    arguments = parser.parse_args()
    settings, seeds = BanditSettings(), reported_seeds(arguments.worlds)
    result = {
        "command": " ".join(["python -m benchmarks.regret", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "seeds": [seeds.start, seeds.stop - 1],
        "platforms": {name: asdict(platform) for name, platform in REPORTED.items()},
        "settings": settings.model_dump(mode="json"),
        "rows": report(measure(cases(REPORTED, seeds), POLICIES, settings)),
    }
    json.dump(result, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
