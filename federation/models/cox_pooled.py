"""The pooled partial likelihood on shares: gradient and Hessian without opening anybody's day of death.

Belongs here: sums over risk sets as shares, divided on shares, so that only the gradient, the Hessian and the total risk
are opened. Does not belong here: the iteration (``newton``).

Risks are relative to the mean of all patients. A sum of risks may be as small as 2^-8, a patient alone at risk with a risk of
a 256th of the mean; smaller ones are divided by less exactly. Coefficients err by about 1e-5 of a standard deviation for
tens of thousands of patients and 1e-3 for hundreds of thousands.

References
----------
Breslow (1974), Biometrics 30:89 (ties).
"""

from dataclasses import dataclass

import numpy as np

from federation.models.design import Design
from federation.models.newton import Part
from federation.protocols.division import FRACTION, inverses, truncated
from federation.protocols.follow_up import FollowUp
from federation.runtime import Runtime, Shares
from records.errors import ParameterError

MOST_PATIENTS = 1 << 18
LEAST_RISK = 8  # a sum of risks may be 2^-8
RATIO = 12  # bits of means in risk sets, in the Hessian
_BITS = 59
_COLUMN = 5  # standardised columns are taken to lie within 2^5
_TOTAL = 24  # bits of the total risk


@dataclass(frozen=True)
class _Bits:
    """Fraction bits that fit the field for so many patients."""

    risk: int
    weight: int
    first: int
    second: int

    @classmethod
    def of(cls, bits: int) -> "_Bits":
        free = _BITS - 2 * bits - _COLUMN
        weight = min(FRACTION, free * 5 // 9)
        return cls(
            min(FRACTION, _BITS - 3 - bits), weight, min(FRACTION, free - weight), max(0, free - weight - _COLUMN)
        )


@dataclass
class PooledCox:
    """One fit: what does not change between iterations.

    Parameters
    ----------
    deaths : shares of shape (points,)
        Events at each point of time.
    most : int
        Bits of the number of patients.
    """

    rt: Runtime
    own: FollowUp
    built: Design
    deaths: Shares
    most: int
    bits: _Bits

    @classmethod
    async def prepared(cls, rt: Runtime, own: FollowUp, built: Design) -> "PooledCox":
        """Share events.

        Raises
        ------
        ParameterError
            More patients than the fixed point can hold.
        """
        if built.patients >= MOST_PATIENTS:
            raise ParameterError(
                f"a pooled Cox model must have fewer than {MOST_PATIENTS} patients, got {built.patients}; set strata to site"
            )
        counted, most = own.events_at().sum(axis=0), built.patients.bit_length()
        return cls(rt, own, built, await rt.input_sum(counted, counted.shape), most, _Bits.of(most))

    @property
    def precision(self) -> float:
        """Gradient per patient below which only rounding is left."""
        return 8 * 2.0**-self.bits.weight

    async def part(self, beta: np.ndarray) -> Part:
        """Gradient and negative Hessian at ``beta``; less half the squared gradient stands for the likelihood."""
        rt, bits, scale = self.rt, self.bits, self.bits.weight + self.most
        linear = self.built.rows @ beta
        level = await self._level(linear)
        zero, first, second = await self._risk_sets(np.exp(np.clip(linear - level, -20, 20)))
        inverse = await self._inverse(zero)
        weight = (await rt.multiply(self.deaths, inverse))[None]
        means, squares = await rt.inner(weight, first), await rt.inner(weight, second)
        ratio = await self._ratios(first, inverse)
        outer = await rt.inner(await rt.multiply(np.broadcast_to(self.deaths, ratio.shape), ratio), ratio.T.copy())
        upper = np.triu_indices(len(beta))
        observed = await self._shared(self.own.events @ self.built.rows, scale + bits.first)
        spread = rt.scale(outer[upper], 1 << (scale + bits.second - 2 * RATIO))
        opened = await rt.open(np.concatenate([rt.subtract(observed, means[0]), rt.subtract(squares[0], spread)]))
        gradient = opened[: len(beta)] / 2.0 ** (scale + bits.first)
        curvature = np.zeros((len(beta), len(beta)))
        curvature[upper] = opened[len(beta) :] / 2.0 ** (scale + bits.second)
        return Part(-0.5 * float(gradient @ gradient), gradient, curvature + np.triu(curvature, 1).T)

    async def _level(self, linear: np.ndarray) -> float:
        """The log of the mean risk, so that risks are near 1."""
        own = min(float(np.exp(np.clip(linear, -20, 20)).sum()), 2.0**28)
        total = await self.rt.open(await self._shared(np.array([own]), _TOTAL))
        return float(np.log(max(total[0], 1) / 2**_TOTAL / self.built.patients))

    async def _risk_sets(self, risk: np.ndarray) -> tuple[Shares, Shares, Shares]:
        """Sums over risk sets: of risks, of risks times columns, and times products of columns."""
        rows, upper = self.built.rows, np.triu_indices(self.built.rows.shape[1])
        products = rows[:, upper[0]] * rows[:, upper[1]]
        zero = self._from_each_point(risk[:, None])[:, 0]
        first, second = (self._from_each_point(values * risk[:, None]) for values in (rows, products))
        bits = self.bits
        return (
            await self._shared(zero, bits.risk), await self._shared(first, bits.first), await self._shared(second, bits.second)
        )  # fmt: skip

    def _from_each_point(self, values: np.ndarray) -> np.ndarray:
        """Sum over this party's patients whose time is not before each point."""
        at = np.zeros((self.own.length, values.shape[1]))
        np.add.at(at, self.own.times, values)
        return at[::-1].cumsum(axis=0)[::-1]

    async def _inverse(self, zero: Shares) -> Shares:
        """``2^(weight + most) / zero``; no matter what where nobody is at risk."""
        # The total risk is that of as many mean patients as there are; one unit more leaves room for rounding.
        top = self.bits.risk + self.most + 1
        low = self.bits.risk - LEAST_RISK
        return await inverses(self.rt, zero, top=top, low=low, precision=self.bits.weight - 1)

    async def _ratios(self, first: Shares, inverse: Shares) -> Shares:
        """Means of the columns in each risk set, shape (columns, points)."""
        columns = first.T.copy()
        product = await self.rt.multiply(columns, np.broadcast_to(inverse, columns.shape))
        return await truncated(self.rt, product, self.bits.weight + self.most + self.bits.first - RATIO)

    async def _shared(self, sums: np.ndarray, bits: int) -> Shares:
        return await self.rt.input_sum(np.rint(sums * 2.0**bits).astype(np.int64), sums.shape)
