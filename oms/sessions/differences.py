"""What a configuration that is read anew changes of the sessions, and of what is decided with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from oms.domain.instrument import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDifferences:
    """added, changed, removed: by name, in the order of the configuration; remade: those of the
    changed ones that must log out and be made anew. kept: what differs too and waits for a restart.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    remade: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...] = ()

    @property
    def new(self) -> frozenset[str]:
        """The sessions that come up anew."""
        return frozenset((*self.added, *self.remade))


def differences(
    before: Mapping[str, object], after: Mapping[str, object], is_remade: Callable[[str], bool]
) -> SessionDifferences:
    """What is said of each session, by name, as it runs and as it is to be."""
    changed = tuple(one for one in after if one in before and after[one] != before[one])
    return SessionDifferences(
        added=tuple(one for one in after if one not in before),
        changed=changed,
        remade=tuple(one for one in changed if is_remade(one)),
        removed=tuple(one for one in before if one not in after),
    )


def reference_after(running: Reference, made: Reference) -> Reference:
    """What to decide with when `made` is configured: venues and drop copies that are gone are
    understood still.
    """
    venues = {**running.venues, **made.venues}
    copies = {**running.drop_copies, **made.drop_copies}
    known = {*running.clients, *venues, *copies, *running.retired}
    retired = frozenset(known.difference(made.clients, made.venues, made.drop_copies))
    return replace(made, venues=venues, drop_copies=copies, retired=retired)
