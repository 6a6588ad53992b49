"""Quotas of credentials, kept in the store: all that use it, in any process, spend from one account."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from .account import Account, Quota, Turn
from .columns import to_text
from .connected import Connected
from .tables import budgets


class Budgets(Connected):
    """Instants are microseconds since 1970 UTC. `credential` is a digest: a secret is never stored."""

    def spend(
        self,
        credential: str,
        resource: str,
        requests: int,
        *,
        reserve: float,
        per_minute: int | None,
        now: int,
        paced_at: int,
    ) -> Turn:
        """Take requests of a resource, all or none. `now` is held against quotas, `paced_at` against the pace."""
        with self._writing() as conn:
            account, turn = _account(conn, credential, resource, now).spend(
                requests, reserve=reserve, per_minute=per_minute, now=paced_at
            )
            self._keep(conn, credential, resource, account)
        return turn

    def hear(self, credential: str, resource: str, quota: Quota | None, *, free: bool, now: int) -> None:
        """A request of the resource is over: what its answer told, and whether it cost nothing."""
        with self._writing() as conn:
            account = _account(conn, credential, resource, now).hear(quota, free=free, now=now)
            self._keep(conn, credential, resource, account)

    def account(self, credential: str, resource: str, now: int) -> Account:
        """What is known of a resource's quota."""
        with self._reading() as conn:
            return _account(conn, credential, resource, now)

    def _keep(self, conn: Connection, credential: str, resource: str, account: Account) -> None:
        row = {"credential": to_text(credential), "resource": to_text(resource)}
        told = {name: getattr(account, name) for name in ("limit", "remaining", "reset", "next_at")}
        conn.execute(self._db.upsert(budgets, ("credential", "resource")), row | told)


_ACCOUNT = select(budgets.c.limit, budgets.c.remaining, budgets.c.reset, budgets.c.next_at).where(
    budgets.c.credential == bindparam("credential"), budgets.c.resource == bindparam("resource")
)


def _account(conn: Connection, credential: str, resource: str, now: int) -> Account:
    row = conn.execute(_ACCOUNT, {"credential": to_text(credential), "resource": to_text(resource)}).first()
    if row is None:
        return Account.unheard(now)
    limit, remaining, reset, next_at = row
    return Account(limit=limit, remaining=remaining, reset=reset, next_at=next_at).at(now)
