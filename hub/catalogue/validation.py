"""Checking a description before it is published.

Belongs here: our shapes, and their messages in plain words. Does not belong here: the shapes themselves (``shapes.ttl``).
"""

from functools import cache
from pathlib import Path

from pyshacl import validate
from rdflib import Graph, Namespace

SHAPES = Path(__file__).parent / "shapes.ttl"
SH = Namespace("http://www.w3.org/ns/shacl#")


@cache
def shapes() -> Graph:
    """Our shapes."""
    return Graph().parse(SHAPES)


def problems(graph: Graph) -> list[str]:
    """What the description lacks, a line each; empty if it may be published."""
    _, report, _ = validate(graph, shacl_graph=shapes(), advanced=False, meta_shacl=False, do_owl_imports=False)
    assert isinstance(report, Graph)
    said = {
        str(words) for result in report.subjects(SH.resultMessage) for words in report.objects(result, SH.resultMessage)
    }
    return sorted(said)
