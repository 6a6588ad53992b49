"""A process that writes batches of ten deployments: python storage_writer.py URL FIRST BATCHES."""

from __future__ import annotations

import sys

from keyresults.metrics.stream import Batch
from keyresults.storage.store import Store
from storage_samples import START, covered, deployment, stream


def main(url: str, first: int, batches: int) -> None:
    with Store.open(url) as store:
        sys.stdout.write("writing\n")
        sys.stdout.flush()
        for n in range(first, first + 10 * batches, 10):
            facts = tuple(deployment(k) for k in range(n, n + 10))
            store.write(stream(), Batch(facts=facts, covered=covered((n, n + 10))), START)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
