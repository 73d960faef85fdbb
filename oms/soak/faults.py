"""What is done to the parts: each fault finds somebody to strike, strikes, and may be undone.

What kills needs no undoing: the supervisor, or the soak in the place of a service manager, starts
again what is dead. A fault that finds nobody to strike just now is put off.
"""

import random
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from oms.soak import parts
from oms.soak.absences import WHO
from oms.soak.ground import LINKS
from oms.soak.parts import Part, send
from oms.soak.stage import Stage

_STOPPED_S, _GOING_S = 0.04, 0.03
_DIES_SHARE = 0.35
# So many orders of a client's rest when it is taken out of the configuration.
_RESTING = 3


def _nothing() -> None:
    """Nothing is to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault that was dealt. whom: in words; lasts_s: until `undo`, in a soak of minutes; again:
    done every moment of it.
    """

    whom: str
    lasts_s: float = 0.0
    undo: Callable[[], None] = _nothing
    again: Callable[[], None] = _nothing


Deal = Callable[[Stage, random.Random], Struck | None]


def kill_core(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGKILL of the core that leads."""
    del chance
    return _killed(stage, stage.health.leader, "the leading core", stage.core_pids())


def kill_fix_process(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGKILL of a core's FIX process."""
    found = [one for core in stage.core_pids() if (one := parts.fix_process_of(core))]
    return _killed(stage, chance.choice(found) if found else 0, "a FIX process", found)


def kill_backend(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGKILL of the backend that writes the journal: PostgreSQL restarts all of them."""
    del chance
    known = parts.children(parts.postmaster_of(stage.site))
    return _killed(stage, stage.health.backend, "the journal's backend", known)


def kill_postmaster(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGKILL of PostgreSQL's first process."""
    del chance
    pid = parts.postmaster_of(stage.site)
    return _killed(stage, pid, "the postmaster", [pid])


def kill_api(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGKILL of `oms api`."""
    del chance
    found = stage.served(b"api")
    return _killed(stage, next(iter(found), 0), "the API", found)


def kill_jobs(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGKILL of `oms jobs`."""
    del chance
    found = stage.served(b"jobs")
    return _killed(stage, next(iter(found), 0), "the jobs", found)


def _killed(stage: Stage, pid: int, whom: str, known: list[int]) -> Struck | None:
    if not pid or pid not in known or pid in stage.held or not send(pid, signal.SIGKILL):
        return None
    return Struck(whom=f"{whom} (process {pid})")


def kill_venue(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGKILL of a venue, which comes back after a while."""
    return _killed_part(stage, chance, list(stage.venues.values()))


def kill_client(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGKILL of a client, which comes back after a while."""
    return _killed_part(stage, chance, list(stage.clients.values()))


def _killed_part(stage: Stage, chance: random.Random, those: list[Part]) -> Struck | None:
    part = chance.choice(those)
    if not part.runs or part.pid in stage.held:
        return None
    down_s = chance.uniform(0.0, 3.0)
    stage.kill(part, down_s)
    return Struck(whom=part.name, lasts_s=down_s)


def freeze_core(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGSTOP of the core that leads, sometimes with its FIX process; another takes over."""
    leader = stage.health.leader
    if leader not in stage.core_pids():
        return None
    pids = [leader]
    fix_process = parts.fix_process_of(leader)
    if fix_process and chance.random() < 0.3:
        pids.append(fix_process)
    whom = "the leading core" if len(pids) == 1 else "the leading core and its FIX process"
    return _frozen(stage, pids, whom, chance.uniform(2.0, 6.0))


def freeze_api(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGSTOP of `oms api`: connected, and silent."""
    found = stage.served(b"api")
    return _frozen(stage, found, "the API", chance.uniform(2.0, 8.0)) if found else None


def freeze_venue(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGSTOP of a venue: connected, and silent."""
    part = chance.choice(list(stage.venues.values()))
    return _frozen(stage, [part.pid], part.name, chance.uniform(2.0, 14.0)) if part.runs else None


def freeze_postgres(stage: Stage, chance: random.Random) -> Struck | None:
    """SIGSTOP of all of PostgreSQL."""
    postmaster = parts.postmaster_of(stage.site)
    if not postmaster:
        return None
    pids = [postmaster, *parts.children(postmaster)]
    return _frozen(stage, pids, "PostgreSQL", chance.uniform(1.0, 6.0))


def _frozen(stage: Stage, pids: list[int], whom: str, lasts_s: float) -> Struck | None:
    if stage.held.intersection(pids):
        return None
    stage.hold(pids)
    return Struck(whom=whom, lasts_s=lasts_s, undo=lambda: stage.let_go(pids))


def fill_disk(stage: Stage, chance: random.Random) -> Struck | None:
    """The disk of the database and of the FIX stores is full, to the last page.

    At times PostgreSQL dies with it, and cannot come back before there is room.
    """
    if "disk" in stage.spoiled:
        return None
    stage.spoiled.add("disk")

    def free() -> None:
        stage.ground.free()
        stage.spoiled.discard("disk")

    stage.ground.fill()
    whom = "the data directory"
    if chance.random() < _DIES_SHARE and kill_postmaster(stage, chance):
        whom = "the data directory, and the postmaster is killed"
    return Struck(
        whom=whom,
        lasts_s=chance.uniform(2.0, 8.0),
        undo=free,
        again=stage.ground.fill,
    )


def slow_disk(stage: Stage, chance: random.Random) -> Struck | None:
    """The journal's backend and the WAL writer stand still more than half of the time."""
    postmaster = parts.postmaster_of(stage.site)
    if not postmaster or "pace" in stage.spoiled or postmaster in stage.held:
        return None
    stage.spoiled.add("pace")
    over = threading.Event()

    def writers() -> list[int]:
        known = parts.children(parts.postmaster_of(stage.site))
        writer = [one for one in known if b"walwriter" in parts.title_of(one)]
        return [one for one in (stage.health.backend, *writer) if one in known]

    def brake() -> None:
        while not over.wait(_GOING_S):
            pids = [one for one in writers() if one not in stage.held]
            stage.hold(pids)
            over.wait(_STOPPED_S)
            stage.let_go(pids)

    thread = threading.Thread(target=brake, name="slow disk", daemon=True)
    thread.start()

    def undo() -> None:
        over.set()
        thread.join()
        stage.spoiled.discard("pace")

    return Struck(
        whom="the journal's backend and the WAL writer",
        lasts_s=chance.uniform(4.0, 10.0),
        undo=undo,
    )


def cut_network(stage: Stage, chance: random.Random) -> Struck | None:
    """A link carries nothing any more: the clients', a venue's, or all."""
    links = list(LINKS) if chance.random() < 0.2 else [chance.choice(LINKS)]
    if stage.spoiled.intersection(links):
        return None
    stage.spoiled.update(links)
    for link in links:
        stage.ground.cut(link)

    def mend() -> None:
        for link in links:
            stage.ground.mend(link)
            stage.spoiled.discard(link)

    whom = "all links" if len(links) > 1 else f"the link {links[0]}"
    return Struck(whom=whom, lasts_s=chance.uniform(1.0, 15.0), undo=mend)


def remove_client(stage: Stage, chance: random.Random) -> Struck | None:
    """A client is taken out of the configuration, with orders open, and put back later."""
    part = stage.clients[WHO]
    if "configuration" in stage.spoiled or not (part.runs and part.state.get("up")):
        return None
    stage.spoiled.add("configuration")

    def stay_away() -> None:
        part.say("away")

    def put_back() -> None:
        stage.absences.end()
        part.say("back")
        stage.spoiled.discard("configuration")

    for _ in range(_RESTING):
        part.say("bid")
    stage.absences.begin()
    stay_away()
    return Struck(
        whom=f"{WHO}, with {part.state['open'] + _RESTING} orders open",
        lasts_s=chance.uniform(2.0, 12.0),
        undo=put_back,
        again=stay_away,
    )


FAULTS: Mapping[str, Deal] = {
    "core killed": kill_core,
    "FIX process killed": kill_fix_process,
    "PostgreSQL backend killed": kill_backend,
    "postmaster killed": kill_postmaster,
    "API killed": kill_api,
    "jobs killed": kill_jobs,
    "venue killed": kill_venue,
    "client killed": kill_client,
    "core frozen": freeze_core,
    "API frozen": freeze_api,
    "venue frozen": freeze_venue,
    "PostgreSQL frozen": freeze_postgres,
    "disk full": fill_disk,
    "disk slow": slow_disk,
    "network cut": cut_network,
    "client removed": remove_client,
}


def possible(stage: Stage) -> dict[str, Deal]:
    """Those that this machine allows."""
    found = dict(FAULTS)
    if not stage.ground.can_fill:
        del found["disk full"]
    return found
