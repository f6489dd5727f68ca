"""Our synthesizers beside their peers: same splits, seeds, public grid, scorer and machine."""
