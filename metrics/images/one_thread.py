"""Torch in one thread: small networks are fastest so, and sums do not depend on the machine's cores.

Belongs here: the one context that everything here uses that runs a network. Does not belong here: any network.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside, as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
