"""What an attacker can work out of suppressed cells: the bounds that margins and linked tables leave.

Belongs here: the linear programs. Does not belong here: which width is enough (``disclosure``, ``suppression``).

References
----------
Hundepool et al. (2012), section 4.3.1 (feasibility intervals); Fischetti and Salazar (2000), Management Science 46(8).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from hub.output_checks.table import Place, Table

Bounds = tuple[float, float]


class ContradictionError(ValueError):
    """No counts can fulfil all margins: the tables do not describe the same units."""


class Attacker:
    """One who knows all published cells of ``tables``, that no value is negative, and that margins add up."""

    def __init__(self, tables: Sequence[Table], measure: Literal["count", "sum"] = "count") -> None:
        self.known: dict[Place, float | None] = {}
        for table in tables:
            for place, count in table.published(measure).items():
                if self.known.get(place) is None:
                    self.known[place] = count
        self.equations = [equation for table in tables for equation in table.equations()]

    def bounds(self, wanted: Iterable[Place], hidden: Iterable[Place] = ()) -> dict[Place, Bounds]:
        """The least and greatest count that each wanted cell can have, if ``hidden`` cells were suppressed as well.

        Raises
        ------
        ContradictionError
            No counts fulfil the margins.
        """
        known = self.known | dict.fromkeys(hidden)
        unknown = [place for place, count in known.items() if count is None]
        position = {place: i for i, place in enumerate(unknown)}
        matrix, right = self._system(known, position)
        return {place: _interval(position[place], len(unknown), matrix, right) for place in wanted}

    def _system(
        self, known: Mapping[Place, float | None], position: Mapping[Place, int]
    ) -> tuple[csr_matrix | None, np.ndarray]:
        rows, columns, values, right = [], [], [], []
        for margin, parts in self.equations:
            terms = [(margin, -1.0), *((part, 1.0) for part in parts)]
            open_terms = [(position[place], sign) for place, sign in terms if known[place] is None]
            if not open_terms:
                continue
            for column, sign in open_terms:
                rows.append(len(right))
                columns.append(column)
                values.append(sign)
            right.append(-sum(sign * count for place, sign in terms if (count := known[place]) is not None))
        if not right:
            return None, np.zeros(0)
        return csr_matrix((values, (rows, columns)), shape=(len(right), len(position))), np.array(right)


def _interval(index: int, size: int, matrix: csr_matrix | None, right: np.ndarray) -> Bounds:
    if matrix is None:
        return 0.0, float("inf")
    ends = []
    for sign in (1.0, -1.0):
        objective = np.zeros(size)
        objective[index] = sign
        found = linprog(objective, A_eq=matrix, b_eq=right, bounds=(0, None), method="highs")
        if found.status == 3:
            ends.append(float("inf"))
        elif found.status == 0:
            ends.append(sign * float(found.fun))
        else:
            raise ContradictionError("the tables must add up, got margins that no counts fulfil; mend them")
    return ends[0], ends[1]
