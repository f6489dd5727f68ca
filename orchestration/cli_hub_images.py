"""``phaseiv hub describe-images``: an image cohort's entry in the catalogue.

Belongs here: options, and who is said to publish. Does not belong here: what the entry says (``assets.images.goods``).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from records.errors import ParameterError, PhaseIVError

if TYPE_CHECKING:
    from assets.images.place import ImagePlace
    from hub.access.tables import StandingOffer
    from hub.caller import Caller
    from hub.catalogue.tables import Dataset
    from hub.deployment import Deployment

MOST_IMAGES, VALID, PURPOSES = 5000, timedelta(days=180), ("d", "e")


def describe_images(
    use_case: Annotated[str, typer.Argument(help="A use case whose images were released.")],
    holder: Annotated[str, typer.Option(help="E-mail of the data holder's account at the hub.")],
    body_email: Annotated[str, typer.Option(help="E-mail of the health data access body.")],
    offer: Annotated[
        bool,
        typer.Option(
            help="Propose a standing offer of the release's own question too; the access body's head must approve it."
        ),
    ] = False,
) -> None:
    """Put a use case's images into the catalogue, with pictures of the release, or renew their entry."""
    from hub.database.migration import migrate
    from orchestration.cli_images import place_of
    from orchestration.settings import Settings

    settings = Settings()
    place = place_of(use_case, settings)
    try:
        hub = settings.open_hub()
        migrate(hub.database)
        name = published_images(place, hub, holder, body_email, offer=offer)
    except PhaseIVError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{hub.settings.public_url}/catalogue/{name}")


def published_images(place: "ImagePlace", hub: "Deployment", holder: str, body_email: str, *, offer: bool) -> str:
    """Publish the entry as the holder would; returns the data set's id.

    Raises
    ------
    ParameterError
        No such holder, nothing released, the entry lacks something or is of other data, or what was released cannot be offered.
    """
    import sqlalchemy as sa

    from assets.images.goods import described_images
    from hub.caller import Caller
    from hub.catalogue import service
    from hub.catalogue.record import Agent
    from hub.catalogue.tables import Dataset
    from hub.people.tables import Person

    name, settings = images_id(place), hub.settings
    with hub.database.write() as session:
        person = session.scalar(sa.select(Person).where(Person.email == holder.strip().lower()))
        if person is None:
            raise ParameterError(
                "the holder must have an account at the hub, got an unknown e-mail; make one with `phaseiv hub account`"
            )
        caller = Caller(session, hub.clock(), hub, person)
        record = described_images(
            place, hub_url=settings.public_url, dataset_id=name, publisher=Agent(name=person.organisation or person.name, email=person.email),
            access_body=Agent(name=settings.body, email=body_email),
        )  # fmt: skip
        if (there := session.get(Dataset, name)) is None:
            service.draft(caller, name, record, use_case=place.use_case.key, cohort=place.cohort.name)
        else:
            _must_be_of(there, place)
            service.edit(caller, name, record)
        service.publish(caller, name)
        if offer:
            _offer(caller, name, place)
    return name


def images_id(place: "ImagePlace") -> str:
    """The id of an image cohort's data set in the catalogue: another than that of a table of the same name."""
    return f"{place.use_case.key}-{place.cohort.name}-images".replace("_", "-")


def _must_be_of(there: "Dataset", place: "ImagePlace") -> None:
    """Refuse to write over another entry, to whose data its orders would go."""
    if not there.modality or (there.use_case, there.cohort) != (place.use_case.key, place.cohort.name):
        raise ParameterError(
            f"the entry {there.id} must be of these images to be renewed, got one of other data; rename the image cohort"
        )


def _offer(holder: "Caller", name: str, place: "ImagePlace") -> None:
    """Propose the question that the release asked, from whose model orders are drawn for nothing, unless it stands already."""
    from assets.images.goods import latest
    from hub.access import offers

    params = latest(place)[1]["params"]
    if params["epsilon"] is None:
        raise ParameterError(
            "images on offer must be released with an epsilon, got a release without privacy; release others, or leave --offer out"
        )
    asked = {
        "synthesizer": params["family"], "epsilon": params["epsilon"], "max_rows": MOST_IMAGES, "purposes": PURPOSES,
        "formats": place.formats, "columns": None, "budget_orders": None,
    }  # fmt: skip
    if not any(one.dataset_id == name and _stands(one, asked, holder.now) for one in offers.of_holder(holder)):
        offers.propose(holder, name, valid_until=holder.now + VALID, **asked)


def _stands(offer: "StandingOffer", asked: Mapping[str, Any], now: datetime) -> bool:
    """Whether an offer of these terms is in force or waits for approval."""
    told = {term: sorted(value) if isinstance(value, tuple) else value for term, value in asked.items()}
    return (
        offer.withdrawn_at is None and offer.valid_until > now and told == {term: getattr(offer, term) for term in told}
    )
