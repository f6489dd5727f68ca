"""Orders on demand: from a granted request to an artefact in the temporary repository.

Belongs here: the queue that the data side works off, and the one consistent state that each order ends in. Does not belong
here: making data (the data side does, and hands over released data only), or permits (``access``).
"""
