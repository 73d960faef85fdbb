"""`oms soak`: see what the machine allows, and run the campaign inside of it."""

from dataclasses import replace

from oms.app.exits import Exit, Stop
from oms.soak import boundary
from oms.soak.campaign import Options


def main(options: Options) -> int:
    """Run; 0 where every invariant held, 1 where one did not. Raises Stop."""
    home = options.home.resolve()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise Stop(Exit.USAGE, f"report = {options.home}: must be an empty directory, or none yet")
    home.mkdir(parents=True, exist_ok=True)
    found = boundary.look()
    inside = replace(options, home=home, namespaces=found.namespaces, why_not=found.why_not)
    return boundary.within(found, "oms.soak.campaign", [inside.as_json()])
