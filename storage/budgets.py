"""Quotas of credentials, kept in the store: all that use it, in any process, spend from one account."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

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

    def accounts(self, now: int) -> list[tuple[str, str, Account]]:
        """Credential, resource and what is known of each quota, in their order."""
        with self._reading() as conn:
            rows = conn.execute(select(budgets).order_by(budgets.c.credential, budgets.c.resource)).all()
        return [(row.credential, row.resource, _of(row, now)) for row in rows]

    def _keep(self, conn: Connection, credential: str, resource: str, account: Account) -> None:
        row = {"credential": to_text(credential), "resource": to_text(resource)}
        told = {name: getattr(account, name) for name in ("limit", "remaining", "reset", "next_at")}
        conn.execute(self._db.upsert(budgets, ("credential", "resource")), row | told)


_ACCOUNT = select(budgets).where(
    budgets.c.credential == bindparam("credential"), budgets.c.resource == bindparam("resource")
)


def _account(conn: Connection, credential: str, resource: str, now: int) -> Account:
    row = conn.execute(_ACCOUNT, {"credential": to_text(credential), "resource": to_text(resource)}).first()
    if row is None:
        return Account.unheard(now)
    return _of(row, now)


def _of(row: Row[Any], now: int) -> Account:
    return Account(limit=row.limit, remaining=row.remaining, reset=row.reset, next_at=row.next_at).at(now)
