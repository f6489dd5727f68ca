"""market

Revision 0007, after 0006: goods, listings, negotiations, agreements, purchases, disputes, sanctions and access fees; what orders
and artefacts have to do with them.
"""

import sqlalchemy as sa
from alembic import op

from hub.audit.append_only import protect_rows

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
KEPT = (("market_messages", "negotiation_id", "number"), ("market_debits", "purchase_id"), ("market_uses", "id"))


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "market_goods",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("gate", sa.JSON(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("deposited_at", sa.String(27), nullable=False),
        sa.Column("revoked_at", sa.String(27), nullable=True),
        sa.Column("revoked_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_market_goods"),
    )
    with op.batch_alter_table("market_goods", schema=None) as batch_op:
        batch_op.create_index("ix_market_goods_dataset_id", ["dataset_id"], unique=False)

    op.create_table(
        "market_listings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("goods_id", sa.String(), nullable=True),
        sa.Column("service", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("price", sa.JSON(), nullable=False),
        sa.Column("split", sa.JSON(), nullable=False),
        sa.Column("frontier", sa.JSON(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("listed_at", sa.String(27), nullable=True),
        sa.Column("ended_at", sa.String(27), nullable=True),
        sa.Column("ended_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["goods_id"], ["market_goods.id"], name="fk_market_listings_goods_id_market_goods"),
        sa.ForeignKeyConstraint(["holder_id"], ["people.id"], name="fk_market_listings_holder_id_people"),
        sa.PrimaryKeyConstraint("id", name="pk_market_listings"),
    )
    with op.batch_alter_table("market_listings", schema=None) as batch_op:
        batch_op.create_index("ix_market_listings_dataset_id", ["dataset_id"], unique=False)
        batch_op.create_index("ix_market_listings_goods_id", ["goods_id"], unique=False)
        batch_op.create_index("ix_market_listings_holder_id", ["holder_id"], unique=False)
        batch_op.create_index("ix_market_listings_kind", ["kind"], unique=False)
        batch_op.create_index("ix_market_listings_state", ["state"], unique=False)

    op.create_table(
        "market_sanctions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("article", sa.String(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("views", sa.Text(), nullable=False),
        sa.Column("views_until", sa.String(27), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by_id", sa.String(), nullable=False),
        sa.Column("notified_at", sa.String(27), nullable=False),
        sa.Column("imposed_at", sa.String(27), nullable=True),
        sa.Column("until", sa.String(27), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_market_sanctions_person_id_people"),
        sa.PrimaryKeyConstraint("id", name="pk_market_sanctions"),
    )
    with op.batch_alter_table("market_sanctions", schema=None) as batch_op:
        batch_op.create_index("ix_market_sanctions_person_id", ["person_id"], unique=False)
        batch_op.create_index("ix_market_sanctions_state", ["state"], unique=False)

    op.create_table(
        "market_access_fees",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("estimate", sa.JSON(), nullable=False),
        sa.Column("accepted_at", sa.String(27), nullable=False),
        sa.Column("charges", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("invoice_id", sa.String(), nullable=True),
        sa.Column("invoiced_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["money_invoices.id"], name="fk_market_access_fees_invoice_id_money_invoices"
        ),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_market_access_fees_request_id_requests"),
        sa.PrimaryKeyConstraint("request_id", name="pk_market_access_fees"),
    )
    op.create_table(
        "market_consents",
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("given_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["market_listings.id"], name="fk_market_consents_listing_id_market_listings"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_market_consents_person_id_people"),
        sa.PrimaryKeyConstraint("listing_id", "person_id", name="pk_market_consents"),
    )
    with op.batch_alter_table("market_consents", schema=None) as batch_op:
        batch_op.create_index("ix_market_consents_person_id", ["person_id"], unique=False)

    op.create_table(
        "market_negotiations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("consumer_pid", sa.String(), nullable=False),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("buyer_id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("price", sa.JSON(), nullable=False),
        sa.Column("offer", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("updated_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["buyer_id"], ["people.id"], name="fk_market_negotiations_buyer_id_people"),
        sa.ForeignKeyConstraint(["holder_id"], ["people.id"], name="fk_market_negotiations_holder_id_people"),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["market_listings.id"], name="fk_market_negotiations_listing_id_market_listings"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_market_negotiations"),
        sa.UniqueConstraint("consumer_pid", name="uq_market_negotiations_consumer_pid"),
    )
    with op.batch_alter_table("market_negotiations", schema=None) as batch_op:
        batch_op.create_index("ix_market_negotiations_buyer_id", ["buyer_id"], unique=False)
        batch_op.create_index("ix_market_negotiations_holder_id", ["holder_id"], unique=False)
        batch_op.create_index("ix_market_negotiations_listing_id", ["listing_id"], unique=False)
        batch_op.create_index("ix_market_negotiations_state", ["state"], unique=False)

    op.create_table(
        "market_agreements",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("negotiation_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("buyer_id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("agreed_at", sa.String(27), nullable=False),
        sa.Column("finalized_at", sa.String(27), nullable=True),
        sa.Column("valid_until", sa.String(27), nullable=False),
        sa.Column("ended_at", sa.String(27), nullable=True),
        sa.Column("ended_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["buyer_id"], ["people.id"], name="fk_market_agreements_buyer_id_people"),
        sa.ForeignKeyConstraint(["holder_id"], ["people.id"], name="fk_market_agreements_holder_id_people"),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["market_listings.id"], name="fk_market_agreements_listing_id_market_listings"
        ),
        sa.ForeignKeyConstraint(
            ["negotiation_id"],
            ["market_negotiations.id"],
            name="fk_market_agreements_negotiation_id_market_negotiations",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_market_agreements"),
        sa.UniqueConstraint("negotiation_id", name="uq_market_agreements_negotiation_id"),
    )
    with op.batch_alter_table("market_agreements", schema=None) as batch_op:
        batch_op.create_index("ix_market_agreements_buyer_id", ["buyer_id"], unique=False)
        batch_op.create_index("ix_market_agreements_holder_id", ["holder_id"], unique=False)
        batch_op.create_index("ix_market_agreements_listing_id", ["listing_id"], unique=False)

    op.create_table(
        "market_messages",
        sa.Column("negotiation_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["negotiation_id"], ["market_negotiations.id"], name="fk_market_messages_negotiation_id_market_negotiations"
        ),
        sa.PrimaryKeyConstraint("negotiation_id", "number", name="pk_market_messages"),
    )
    op.create_table(
        "market_purchases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("buyer_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("amount", sa.JSON(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("shares", sa.JSON(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("artefact_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("paid_at", sa.String(27), nullable=True),
        sa.Column("delivered_at", sa.String(27), nullable=True),
        sa.Column("ended_at", sa.String(27), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["market_agreements.id"], name="fk_market_purchases_agreement_id_market_agreements"
        ),
        sa.ForeignKeyConstraint(["buyer_id"], ["people.id"], name="fk_market_purchases_buyer_id_people"),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["money_invoices.id"], name="fk_market_purchases_invoice_id_money_invoices"
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["market_listings.id"], name="fk_market_purchases_listing_id_market_listings"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_market_purchases"),
        sa.UniqueConstraint("buyer_id", "key", name="uq_market_purchases_buyer_id"),
    )
    with op.batch_alter_table("market_purchases", schema=None) as batch_op:
        batch_op.create_index("ix_market_purchases_agreement_id", ["agreement_id"], unique=False)
        batch_op.create_index("ix_market_purchases_buyer_id", ["buyer_id"], unique=False)
        batch_op.create_index("ix_market_purchases_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_market_purchases_dataset_id", ["dataset_id"], unique=False)
        batch_op.create_index("ix_market_purchases_invoice_id", ["invoice_id"], unique=False)
        batch_op.create_index("ix_market_purchases_listing_id", ["listing_id"], unique=False)
        batch_op.create_index("ix_market_purchases_state", ["state"], unique=False)

    op.create_table(
        "market_debits",
        sa.Column("purchase_id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("rho", sa.String(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["market_purchases.id"], name="fk_market_debits_purchase_id_market_purchases"
        ),
        sa.PrimaryKeyConstraint("purchase_id", name="pk_market_debits"),
    )
    with op.batch_alter_table("market_debits", schema=None) as batch_op:
        batch_op.create_index("ix_market_debits_dataset_id", ["dataset_id"], unique=False)

    op.create_table(
        "market_disputes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("purchase_id", sa.String(), nullable=False),
        sa.Column("buyer_id", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("held", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", sa.String(27), nullable=False),
        sa.Column("arbiter_id", sa.String(), nullable=True),
        sa.Column("decided_at", sa.String(27), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("credit_note_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["buyer_id"], ["people.id"], name="fk_market_disputes_buyer_id_people"),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["market_purchases.id"], name="fk_market_disputes_purchase_id_market_purchases"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_market_disputes"),
    )
    with op.batch_alter_table("market_disputes", schema=None) as batch_op:
        batch_op.create_index("ix_market_disputes_buyer_id", ["buyer_id"], unique=False)
        batch_op.create_index("ix_market_disputes_purchase_id", ["purchase_id"], unique=False)
        batch_op.create_index("ix_market_disputes_state", ["state"], unique=False)

    op.create_table(
        "market_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purchase_id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["market_purchases.id"], name="fk_market_uses_purchase_id_market_purchases"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_market_uses"),
    )
    with op.batch_alter_table("market_uses", schema=None) as batch_op:
        batch_op.create_index("ix_market_uses_at", ["at"], unique=False)
        batch_op.create_index("ix_market_uses_dataset_id", ["dataset_id"], unique=False)
        batch_op.create_index("ix_market_uses_purchase_id", ["purchase_id"], unique=False)

    with op.batch_alter_table("artefacts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agreement_id", sa.String(), nullable=True))
        batch_op.create_index("ix_artefacts_agreement_id", ["agreement_id"], unique=False)

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purchase_id", sa.String(), nullable=True))
        batch_op.create_index("ix_orders_purchase_id", ["purchase_id"], unique=False)

    # What alembic does not compare: triggers that refuse changed rows.
    for table, *key in KEPT:
        protect_rows(op.get_bind(), table, tuple(key))


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index("ix_orders_purchase_id")
        batch_op.drop_column("purchase_id")

    with op.batch_alter_table("artefacts", schema=None) as batch_op:
        batch_op.drop_index("ix_artefacts_agreement_id")
        batch_op.drop_column("agreement_id")

    with op.batch_alter_table("market_uses", schema=None) as batch_op:
        batch_op.drop_index("ix_market_uses_purchase_id")
        batch_op.drop_index("ix_market_uses_dataset_id")
        batch_op.drop_index("ix_market_uses_at")

    op.drop_table("market_uses")
    with op.batch_alter_table("market_disputes", schema=None) as batch_op:
        batch_op.drop_index("ix_market_disputes_state")
        batch_op.drop_index("ix_market_disputes_purchase_id")
        batch_op.drop_index("ix_market_disputes_buyer_id")

    op.drop_table("market_disputes")
    with op.batch_alter_table("market_debits", schema=None) as batch_op:
        batch_op.drop_index("ix_market_debits_dataset_id")

    op.drop_table("market_debits")
    with op.batch_alter_table("market_purchases", schema=None) as batch_op:
        batch_op.drop_index("ix_market_purchases_state")
        batch_op.drop_index("ix_market_purchases_listing_id")
        batch_op.drop_index("ix_market_purchases_invoice_id")
        batch_op.drop_index("ix_market_purchases_dataset_id")
        batch_op.drop_index("ix_market_purchases_created_at")
        batch_op.drop_index("ix_market_purchases_buyer_id")
        batch_op.drop_index("ix_market_purchases_agreement_id")

    op.drop_table("market_purchases")
    op.drop_table("market_messages")
    with op.batch_alter_table("market_agreements", schema=None) as batch_op:
        batch_op.drop_index("ix_market_agreements_listing_id")
        batch_op.drop_index("ix_market_agreements_holder_id")
        batch_op.drop_index("ix_market_agreements_buyer_id")

    op.drop_table("market_agreements")
    with op.batch_alter_table("market_negotiations", schema=None) as batch_op:
        batch_op.drop_index("ix_market_negotiations_state")
        batch_op.drop_index("ix_market_negotiations_listing_id")
        batch_op.drop_index("ix_market_negotiations_holder_id")
        batch_op.drop_index("ix_market_negotiations_buyer_id")

    op.drop_table("market_negotiations")
    with op.batch_alter_table("market_consents", schema=None) as batch_op:
        batch_op.drop_index("ix_market_consents_person_id")

    op.drop_table("market_consents")
    op.drop_table("market_access_fees")
    with op.batch_alter_table("market_sanctions", schema=None) as batch_op:
        batch_op.drop_index("ix_market_sanctions_state")
        batch_op.drop_index("ix_market_sanctions_person_id")

    op.drop_table("market_sanctions")
    with op.batch_alter_table("market_listings", schema=None) as batch_op:
        batch_op.drop_index("ix_market_listings_state")
        batch_op.drop_index("ix_market_listings_kind")
        batch_op.drop_index("ix_market_listings_holder_id")
        batch_op.drop_index("ix_market_listings_goods_id")
        batch_op.drop_index("ix_market_listings_dataset_id")

    op.drop_table("market_listings")
    with op.batch_alter_table("market_goods", schema=None) as batch_op:
        batch_op.drop_index("ix_market_goods_dataset_id")

    op.drop_table("market_goods")
