"""All tables of the hub, gathered so that migrations and tests see the same list.

Belongs here: imports of each room's tables. Does not belong here: definitions.
"""

from hub.access import tables as access
from hub.audit import tables as audit
from hub.catalogue import tables as catalogue
from hub.database.base import Base
from hub.delivery import tables as delivery
from hub.duties import tables as duties
from hub.market import tables as market
from hub.money import tables as money
from hub.output_checks import tables as output_checks
from hub.people import tables as people
from hub.repository import tables as repository
from hub.statistics import tables as statistics

ROOMS = (access, audit, catalogue, delivery, duties, market, money, output_checks, people, repository, statistics)
ALL = sorted(Base.metadata.tables)
