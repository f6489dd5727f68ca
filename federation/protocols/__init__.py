"""Statistics of several hospitals, computed on shares."""
