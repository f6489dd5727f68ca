"""Follow-up of one party's patients on a public grid of time.

Belongs here: events and numbers at risk at each point of the grid, by group. Does not belong here: what is done with them
on shares (``survival``, ``log_rank``, ``models.cox``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from federation.jobs.job import Job
from federation.protocols.patients import Patients
from federation.protocols.scaling import Scale
from records.discretisation import encode_column
from records.errors import ParameterError
from records.schema import Column, Kind, Role

MOST_TIMES = 2**16


@dataclass(frozen=True)
class FollowUp:
    """This party's patients with known follow-up: time in the grid's steps, event, and group number."""

    times: np.ndarray
    events: np.ndarray
    groups: np.ndarray
    names: tuple[str, ...]
    by: str | None
    scale: Scale
    width: int

    @property
    def length(self) -> int:
        """Points of the grid."""
        return self.scale.span // self.width + 1

    def events_at(self) -> np.ndarray:
        """Events, shape (groups, points)."""
        return self._counted(self.events)

    def at_risk(self) -> np.ndarray:
        """Patients whose time is not before each point, shape (groups, points)."""
        left = self._counted(np.ones(len(self.times), dtype=bool))
        return left[:, ::-1].cumsum(axis=1)[:, ::-1]

    def day(self, point: int) -> float:
        """Time in the column's unit."""
        return self.scale.value(point * self.width)

    def _counted(self, chosen: np.ndarray) -> np.ndarray:
        flat = self.groups[chosen] * self.length + self.times[chosen]
        return np.bincount(flat, minlength=len(self.names) * self.length).reshape(len(self.names), self.length)


def follow_up(held: Patients, job: Job, *, points: int = MOST_TIMES) -> FollowUp:
    """Time, event and group of the patients for whom they are known.

    Parameters
    ----------
    points : int
        Unless the job sets ``interval``, time is coarsened until the codebook's range has at most so many points.

    Raises
    ------
    ParameterError
        The columns are not a time, an event and at most one category.
    """
    columns = [held.schema[name] for name in job.columns]
    time, event = (_only(columns, role) for role in (Role.TIME, Role.EVENT))
    by = [column for column in columns if column not in (time, event) and column.name == job.parameters.get("by")]
    if "by" in job.parameters and (not by or by[0].kind is not Kind.CATEGORY):
        raise ParameterError(f"by must be a category among the job's columns, got {job.parameters['by']}; add it")
    scale = Scale.of(time)
    width = _width(job, -(-(scale.span + 1) // points))
    if scale.span // width >= MOST_TIMES:
        raise ParameterError(f"time must have at most {MOST_TIMES} points, got {scale.span // width}; raise interval")
    used = [time.name, event.name, *(column.name for column in by)]
    known = held.table.select(used).drop_nulls()
    group = encode_column(known[by[0].name], by[0]) if by else np.zeros(known.height, np.int64)
    # Rounded up, as an event is known to have happened by the end of an interval.
    times = -(-scale.integers(known[time.name]) // width)
    names = tuple(by[0].levels.values()) if by else ("all",)
    died = (known[event.name].cast(pl.String) == "1").to_numpy()
    return FollowUp(times, died, group.astype(np.int64), names, by[0].name if by else None, scale, width)


def _only(columns: Sequence[Column], role: Role) -> Column:
    found = [column for column in columns if column.role is role]
    if len(found) != 1:
        raise ParameterError(f"columns must hold one {role} column, got {len(found)}; name the codebook's")
    return found[0]


def _width(job: Job, default: int) -> int:
    width = job.parameters.get("interval", default)
    if not isinstance(width, int) or isinstance(width, bool) or width < 1:
        raise ParameterError(f"interval must be a whole number of recording steps, got {width}; choose for instance 7")
    return width
