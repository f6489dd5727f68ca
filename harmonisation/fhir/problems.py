"""What is wrong in files of FHIR, said by file and JSON path, never by value.

Belongs here: gathering problems and raising them together. Does not belong here: finding them.
"""

from dataclasses import dataclass, field

from records.errors import Problem, TableError

SHOWN = 20


@dataclass
class Problems:
    """Problems of one folder; only the first ``SHOWN`` are kept in words."""

    source: str
    first: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, where: str, rule: str, got: str, remedy: str) -> None:
        """Note a problem at ``<file>: <JSON path>``."""
        self.count += 1
        if self.count <= SHOWN:
            self.first.append(Problem(where, rule, got, remedy))

    def refuse(self) -> None:
        """Raise all problems, if there is one.

        Raises
        ------
        TableError
        """
        if self.count > len(self.first):
            rest = Problem("the rest", "be free of problems", f"{self.count - SHOWN} more", "mend the first ones first")
            raise TableError(self.source, [*self.first, rest])
        if self.count:
            raise TableError(self.source, self.first)
