"""money

Revision 0006, after 0005: accounts, entries, transactions and heads of the books; invoices, payouts, parties.
"""

import sqlalchemy as sa
from alembic import op

from hub.money.guards import guard

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
GUARDED = (
    "money_accounts", "money_entries", "money_transactions", "money_heads", "money_invoices", "money_payouts",
)  # fmt: skip


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "money_accounts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_money_accounts"),
        sa.UniqueConstraint("id", "currency", name="uq_money_accounts_id_currency"),
    )
    op.create_index("ix_money_accounts_owner", "money_accounts", ["owner"], unique=False)

    op.create_table(
        "money_heads",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("peaks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_money_heads"),
    )
    op.create_table(
        "money_invoices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("payees", sa.JSON(), nullable=False),
        sa.Column("credits", sa.String(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.CheckConstraint("sequence >= 1", name="ck_money_invoices_sequence"),
        sa.ForeignKeyConstraint(["credits"], ["money_invoices.id"], name="fk_money_invoices_credits_money_invoices"),
        sa.PrimaryKeyConstraint("id", name="pk_money_invoices"),
        sa.UniqueConstraint("issuer", "year", "sequence", name="uq_money_invoices_issuer"),
        sa.UniqueConstraint("reference", name="uq_money_invoices_reference"),
    )
    op.create_index("ix_money_invoices_credits", "money_invoices", ["credits"], unique=False)
    op.create_index("ix_money_invoices_payer", "money_invoices", ["payer"], unique=False)

    op.create_table(
        "money_parties",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_money_parties"),
    )
    op.create_table(
        "money_payouts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("iban", sa.String(), nullable=False),
        sa.Column("bic", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_money_payouts"),
    )
    op.create_index("ix_money_payouts_file", "money_payouts", ["file"], unique=False)
    op.create_index("ix_money_payouts_party", "money_payouts", ["party"], unique=False)

    op.create_table(
        "money_transactions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("reverses", sa.Integer(), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("former", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reverses"], ["money_transactions.number"], name="fk_money_transactions_reverses_money_transactions"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_money_transactions"),
        sa.UniqueConstraint("key", name="uq_money_transactions_key"),
        sa.UniqueConstraint("reverses", name="uq_money_transactions_reverses"),
    )
    op.create_index("ix_money_transactions_subject", "money_transactions", ["subject"], unique=False)

    op.create_table(
        "money_entries",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.CheckConstraint("cents <> 0", name="ck_money_entries_some"),
        sa.ForeignKeyConstraint(
            ["account", "currency"],
            ["money_accounts.id", "money_accounts.currency"],
            name="fk_money_entries_account_money_accounts",
        ),
        sa.ForeignKeyConstraint(
            ["number"],
            ["money_transactions.number"],
            name="fk_money_entries_number_money_transactions",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("number", "line", name="pk_money_entries"),
    )
    op.create_index("ix_money_entries_account", "money_entries", ["account", "cents"], unique=False)

    # What alembic does not compare: triggers that refuse changed and unbalanced rows.
    guard(op.get_bind(), *GUARDED)


def downgrade() -> None:
    """Back."""
    op.drop_table("money_entries")
    op.drop_table("money_transactions")
    op.drop_table("money_payouts")
    op.drop_table("money_parties")
    op.drop_table("money_invoices")
    op.drop_table("money_heads")
    op.drop_table("money_accounts")
