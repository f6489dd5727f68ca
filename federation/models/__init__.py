"""Models of several hospitals, learnt from sums of shares."""
