"""One party's side of a computation on shares.

Belongs here: sharing, sums, products and openings. A shared array is this party's array of shares (``uint64``). All
parties run the same program in the same order: the number of the operation is its name on the wire. Does not belong here:
what is computed (``comparison``, ``protocols``).

Semi-honest parties, honest majority: up to ``degree`` parties together learn nothing but what is opened. Sums are local.
A product has twice the degree; it is shared once more and recombined (Gennaro, Rabin and Rabin, 1998), which takes the
shares of ``2 degree + 1`` parties.

References
----------
Ben-Or, Goldwasser and Wigderson, 1988; Gennaro, Rabin and Rabin, 1998, Simplified VSS and fast-track multiparty
computations. Cramer, Damgard and Ishai, 2005 (shares from common seeds).
"""

import asyncio
from collections.abc import Iterable, Mapping

import numpy as np

from federation import field, shamir
from federation.errors import GarbledError, MismatchError, PartyLostError
from federation.mesh import Mesh, Payload
from federation.prg import SEED_BYTES, Prg, new_seed
from records.errors import ParameterError

LONG = 1 << 16  # elements from which bytes cost more than a round
Shape = tuple[int, ...]
Shares = np.ndarray


class Runtime:
    """The engine of one job at one party.

    Parameters
    ----------
    mesh : Mesh
    degree : int
        So many parties together learn nothing; at least 1 and below a half of the parties.
    """

    def __init__(self, mesh: Mesh, degree: int) -> None:
        if not 1 <= degree <= (mesh.parties - 1) // 2:
            raise ParameterError(
                f"the threshold must lie between 1 and {(mesh.parties - 1) // 2} for {mesh.parties} parties, got {degree}; "
                "choose another, or ask a computing party without data to join"
            )
        self.mesh, self.degree = mesh, degree
        self.index, self.parties = mesh.index, mesh.parties
        self._operation = 0
        self._mine: dict[int, Prg] = {}  # streams from which peers draw their shares of what I deal
        self._theirs: dict[int, Prg] = {}
        self._private = Prg()

    @property
    def peers(self) -> list[int]:
        """All other parties."""
        return [peer for peer in range(self.parties) if peer != self.index]

    @property
    def rounds(self) -> int:
        """Exchanges so far: what a network's latency multiplies."""
        return self._operation

    async def input(self, owner: int, values: np.ndarray | None, shape: Shape) -> Shares:
        """Shares of whole numbers that only ``owner`` knows; ``values`` is ``None`` at the others."""
        own = field.from_signed(np.asarray(values)).reshape(shape) if self.index == owner else None
        return await self._dealt([owner], own, shape)

    async def input_sum(self, values: np.ndarray | None, shape: Shape) -> Shares:
        """Shares of the sum of all parties' whole numbers, in one round; ``None`` adds nothing."""
        own = np.zeros(shape, np.uint64) if values is None else field.from_signed(np.asarray(values)).reshape(shape)
        return await self._dealt(range(self.parties), own, shape)

    def public(self, values: np.ndarray | int, shape: Shape = ()) -> Shares:
        """Shares of whole numbers that everybody knows: the constant polynomial."""
        return np.broadcast_to(field.from_signed(np.asarray(values)), shape or np.shape(values)).copy()

    def add(self, a: Shares, b: Shares) -> Shares:
        """Shares of the sum."""
        return field.add(a, b)

    def subtract(self, a: Shares, b: Shares) -> Shares:
        """Shares of the difference."""
        return field.subtract(a, b)

    def scale(self, a: Shares, factor: int) -> Shares:
        """Shares of the product with a public whole number."""
        return field.scale(a, factor)

    async def multiply(self, a: Shares, b: Shares) -> Shares:
        """Shares of the product, element by element."""
        return await self._recombined(field.multiply(a, b))

    async def inner(self, a: Shares, b: Shares) -> Shares:
        """Shares of the matrix product of (m, k) by (k, n): one exchange of m n elements, however large k is."""
        return await self._recombined(field.matmul(a, b))

    async def random(self, shape: Shape) -> Shares:
        """Shares of uniform elements that nobody knows: a sum of one more party's draws than may collude."""
        dealers = range(self.degree + 1)
        own = self._private.draw(shape) if self.index in dealers else None
        return await self._dealt(dealers, own, shape)

    async def open(self, x: Shares, *, survive: bool = False) -> np.ndarray:
        """The whole numbers behind the shares, learnt by all parties; ``int64``.

        Parameters
        ----------
        survive : bool
            Every party sends its share to all, so that each can do without the lost ones while more than ``degree`` are
            left. Otherwise each sends to ``degree`` others, which is the least that does.
        """
        return field.to_signed(await self._opened(x, survive=survive))

    async def open_elements(self, x: Shares) -> np.ndarray:
        """As ``open``, as field elements."""
        return await self._opened(x, survive=False)

    async def agree(self, digest: bytes) -> None:
        """All parties hold the same digest.

        Raises
        ------
        MismatchError
            They do not; it names the parties with another.
        """
        tag = self._next()
        _, got = await asyncio.gather(
            self._send(dict.fromkeys(self.peers, digest), tag), self._receive(self.peers, tag)
        )
        if others := [peer for peer in self.peers if got[peer] != digest]:
            parties = ", ".join(map(str, others))
            raise MismatchError(
                f"all parties must hold the same job and steps, got others from party {parties}; compare the parties' logs"
            )

    async def _recombined(self, product: Shares) -> Shares:
        """Back to ``degree``: each of the first parties deals its point of the product, weighted as it enters the secret."""
        dealers = range(2 * self.degree + 1)
        weights = shamir.lagrange(tuple(map(shamir.point, dealers)), shamir.SECRET)
        own = field.scale(product, weights[self.index]) if self.index in dealers else None
        return await self._dealt(dealers, own, product.shape)

    async def _dealt(self, dealers: Iterable[int], own: np.ndarray | None, shape: Shape) -> Shares:
        """Shares of the sum of what the dealers hold."""
        if not self._mine:
            await self._exchange_seeds()
        tag, dealers = self._next(), list(dealers)
        parts, sent = self._shares_dealt(own) if own is not None and self.index in dealers else ([], {})
        others = [dealer for dealer in dealers if dealer != self.index]
        waiting = [dealer for dealer in others if self.index not in self._drawing(dealer)]
        _, got = await asyncio.gather(self._send(sent, tag), self._receive(waiting, tag))
        for dealer in others:
            parts.append(self._array(dealer, got[dealer], shape) if dealer in got else self._theirs[dealer].draw(shape))
        return field.total(parts)

    def _shares_dealt(self, own: np.ndarray) -> tuple[list[np.ndarray], dict[int, np.ndarray]]:
        """My own share, as a list, and those that must be sent."""
        drawing = self._drawing(self.index)
        drawn = [(peer, self._mine[peer].draw(own.shape)) for peer in drawing]
        told = [peer for peer in self.peers if peer not in drawing]
        share, *sent = shamir.shares_of([self.index, *told], own, drawn)
        return [share], dict(zip(told, sent, strict=True))

    def _drawing(self, dealer: int) -> list[int]:
        """The parties that draw their shares of what ``dealer`` deals from a common seed."""
        return [(dealer + step) % self.parties for step in range(1, self.degree + 1)]

    async def _exchange_seeds(self) -> None:
        tag, seeds = self._next(), {peer: new_seed() for peer in self.peers}
        _, got = await asyncio.gather(self._send(seeds, tag), self._receive(self.peers, tag))
        for peer, seed in got.items():
            if not isinstance(seed, bytes) or len(seed) != SEED_BYTES:
                raise GarbledError(peer, "a seed of another length")
            self._theirs[peer] = Prg(seed)
        self._mine = {peer: Prg(seed) for peer, seed in seeds.items()}

    async def _opened(self, x: Shares, *, survive: bool) -> np.ndarray:
        if not survive and self.degree > 1 and x.size >= LONG:
            return await self._opened_in_parts(x)
        tag = self._next()
        count = self.parties - 1 if survive else self.degree
        return await self._gathered(dict.fromkeys(self._before(count), x), x, tag, lenient=survive)

    async def _opened_in_parts(self, x: Shares) -> np.ndarray:
        """Each party puts one part together for all: fewer bytes than all parts at all parties, for one round more."""
        parts = np.array_split(x.ravel(), self.parties)
        before = {peer: parts[peer] for peer in self._before(self.degree)}
        own = await self._gathered(before, parts[self.index], self._next(), lenient=False)
        tag = self._next()
        _, got = await asyncio.gather(self._send(dict.fromkeys(self.peers, own), tag), self._receive(self.peers, tag))
        opened = {peer: self._array(peer, payload, parts[peer].shape) for peer, payload in got.items()}
        return np.concatenate([opened.get(party, own) for party in range(self.parties)]).reshape(x.shape)

    async def _gathered(self, sent: Mapping[int, np.ndarray], own: Shares, tag: int, *, lenient: bool) -> np.ndarray:
        """What my shares and those of as many parties as I send to give."""
        from_ = [(self.index + step) % self.parties for step in range(1, len(sent) + 1)]
        _, got = await asyncio.gather(
            self._send(sent, tag, lenient=lenient), self._receive(from_, tag, lenient=lenient)
        )
        shares = [
            (self.index, own),
            *((peer, self._array(peer, got[peer], own.shape)) for peer in from_ if peer in got),
        ]
        if len(shares) <= self.degree:
            raise PartyLostError(next(peer for peer in from_ if peer not in got))
        return shamir.reconstructed(shares[: self.degree + 1])

    def _before(self, count: int) -> list[int]:
        return [(self.index - step) % self.parties for step in range(1, count + 1)]

    async def _send(self, payloads: Mapping[int, Payload], tag: int, *, lenient: bool = False) -> None:
        results = await asyncio.gather(
            *(self.mesh.send(peer, tag, payload) for peer, payload in payloads.items()), return_exceptions=True
        )
        _raise_first(results, lenient=lenient)

    async def _receive(self, peers: list[int], tag: int, *, lenient: bool = False) -> dict[int, Payload]:
        results = await asyncio.gather(*(self.mesh.receive(peer, tag) for peer in peers), return_exceptions=True)
        _raise_first(results, lenient=lenient)
        return {p: r for p, r in zip(peers, results, strict=True) if not isinstance(r, BaseException)}

    def _array(self, peer: int, payload: Payload, shape: Shape) -> np.ndarray:
        if isinstance(payload, bytes) or payload.shape != shape:
            raise GarbledError(peer, "an array of another shape")
        if payload.size and int(payload.max()) >= field.P:
            raise GarbledError(peer, "numbers outside the field")
        return payload

    def _next(self) -> int:
        self._operation += 1
        return self._operation


def _raise_first(results: Iterable[object], *, lenient: bool) -> None:
    for result in results:
        if isinstance(result, BaseException) and not (lenient and isinstance(result, PartyLostError)):
            raise result
