"""API keys: who calls, in what role, for which client and accounts."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from oms.api.problems import Problem
from oms.queries.paging import EVERYTHING, Scope
from oms.settings import ApiKeySettings, Role, Settings

_MAX_KEY_BYTES: Final = 512

# Only for the OpenAPI document: the middleware has checked the key before anything else is read.
DOCUMENTED = [
    Security(APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="api_key")),
    Security(HTTPBearer(auto_error=False, scheme_name="bearer")),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The holder of an API key. client is empty for those who act for the firm.

    accounts: what it may use and see of its client's. narrowed: fewer than the client's.
    """

    name: str
    role: Role
    client: str = ""
    accounts: frozenset[str] = frozenset()
    narrowed: bool = False

    @property
    def scope(self) -> Scope:
        """What it may read: a key with a client only that client's."""
        return Scope(client=self.client, accounts=self.accounts) if self.client else EVERYTHING

    @property
    def counterparty(self) -> str:
        """Its name in the record; no client can be called so, as a name holds no colon."""
        return self.client or f"api:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """Every configured key by its hash."""

    principals: tuple[tuple[bytes, Principal], ...] = field(repr=False)

    def holder_of(self, key: str) -> Principal | None:
        """Whose key it is. The time taken tells nothing about the keys."""
        if not key or len(key) > _MAX_KEY_BYTES:
            return None
        digest = sha256(key.encode("utf-8", "surrogateescape")).digest()
        found = None
        for key_hash, principal in self.principals:
            if hmac.compare_digest(key_hash, digest):
                found = principal
        return found


def keyring_of(settings: Settings) -> Keyring:
    """The keys that the configuration knows."""
    accounts = {client.name: frozenset(client.accounts) for client in settings.clients}

    def principal(key: ApiKeySettings) -> Principal:
        return Principal(
            name=key.name,
            role=key.role,
            client=key.client,
            accounts=frozenset(key.accounts) or accounts.get(key.client, frozenset()),
            narrowed=bool(key.accounts),
        )

    return Keyring(
        principals=tuple((bytes.fromhex(key.key_hash), principal(key)) for key in settings.api.keys)
    )


def key_in(request: Request) -> str:
    """The key that a request carries: X-API-Key, or Authorization: Bearer."""
    key = request.headers.get("x-api-key", "")
    if key:
        return key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def unauthorized() -> Problem:
    """No key, or not one of ours."""
    detail = "X-API-Key or Authorization: Bearer must hold a valid API key"
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def principal_of(request: Request) -> Principal:
    """Who calls."""
    principal = request.scope.get("principal")
    if not isinstance(principal, Principal):
        raise unauthorized()
    return principal


def require(*roles: Role) -> Callable[[Request], Principal]:
    """A dependency: who calls, where one of these roles is needed."""

    def check(request: Request) -> Principal:
        principal = principal_of(request)
        if principal.role not in roles:
            needed = " or ".join(roles)
            detail = f"key {principal.name} has role {principal.role}: {needed} is needed"
            raise Problem(403, "forbidden", detail)
        return principal

    return check


Caller = Annotated[Principal, Depends(principal_of)]
_STAFF = (Role.OPERATIONS, Role.COMPLIANCE, Role.ADMIN)
Staff = Annotated[Principal, Depends(require(*_STAFF))]
Operator = Annotated[Principal, Depends(require(Role.OPERATIONS, Role.ADMIN))]
RiskOfficer = Annotated[Principal, Depends(require(Role.COMPLIANCE, Role.ADMIN))]
Handler = Annotated[Principal, Depends(require(Role.TRADER, Role.OPERATIONS, Role.ADMIN))]
"""Whoever may send, change or cancel orders."""
