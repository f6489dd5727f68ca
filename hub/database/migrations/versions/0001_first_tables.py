"""first tables

Revision 0001, the first.
"""

import sqlalchemy as sa
from alembic import op

from hub.audit.append_only import protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("former", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entries"),
        sa.UniqueConstraint("digest", name="uq_audit_entries_digest"),
    )
    op.create_index("ix_audit_entries_action", "audit_entries", ["action"], unique=False)
    op.create_index("ix_audit_entries_actor", "audit_entries", ["actor"], unique=False)
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject"], unique=False)

    op.create_table(
        "audit_heads",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("peaks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_audit_heads"),
    )
    op.create_table(
        "complaints",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("lodged_at", sa.String(27), nullable=False),
        sa.Column("closed_at", sa.String(27), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_complaints"),
        sa.UniqueConstraint("number", name="uq_complaints_number"),
    )
    op.create_index("ix_complaints_lodged_at", "complaints", ["lodged_at"], unique=False)
    op.create_index("ix_complaints_state", "complaints", ["state"], unique=False)

    op.create_table(
        "opt_outs",
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("withdrawn_at", sa.String(27), nullable=True),
        sa.PrimaryKeyConstraint("pseudonym", name="pk_opt_outs"),
    )
    op.create_index("ix_opt_outs_at", "opt_outs", ["at"], unique=False)

    op.create_table(
        "people",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("public_body", sa.Boolean(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("totp_secret", sa.String(), nullable=True),
        sa.Column("totp_last", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("email", name="uq_people_email"),
        sa.UniqueConstraint("subject", name="uq_people_subject"),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_key", "sign_in_attempts", ["key"], unique=False)

    op.create_table(
        "access_tokens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.Column("revoked_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_access_tokens_person_id_people"),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("digest", name="uq_access_tokens_digest"),
    )
    op.create_index("ix_access_tokens_person_id", "access_tokens", ["person_id"], unique=False)

    op.create_table(
        "artefacts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("permit_id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("downloads_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.Column("destroyed_at", sa.String(27), nullable=True),
        sa.Column("destroyed_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_artefacts_person_id_people"),
        sa.PrimaryKeyConstraint("id", name="pk_artefacts"),
        sa.UniqueConstraint("order_id", name="uq_artefacts_order_id"),
    )
    op.create_index("ix_artefacts_dataset_id", "artefacts", ["dataset_id"], unique=False)
    op.create_index("ix_artefacts_expires_at", "artefacts", ["expires_at"], unique=False)
    op.create_index("ix_artefacts_permit_id", "artefacts", ["permit_id"], unique=False)
    op.create_index("ix_artefacts_person_id", "artefacts", ["person_id"], unique=False)

    op.create_table(
        "datasets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("draft", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("turtle", sa.Text(), nullable=True),
        sa.Column("json_ld", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("access_rights", sa.String(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("publisher", sa.String(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("use_case", sa.String(), nullable=True),
        sa.Column("cohort", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("published_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(["holder_id"], ["people.id"], name="fk_datasets_holder_id_people"),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
    )
    op.create_index("ix_datasets_access_rights", "datasets", ["access_rights"], unique=False)
    op.create_index("ix_datasets_category", "datasets", ["category"], unique=False)
    op.create_index("ix_datasets_holder_id", "datasets", ["holder_id"], unique=False)
    op.create_index("ix_datasets_publisher", "datasets", ["publisher"], unique=False)
    op.create_index("ix_datasets_status", "datasets", ["status"], unique=False)
    op.create_index("ix_datasets_synthetic", "datasets", ["synthetic"], unique=False)
    op.create_index("ix_datasets_theme", "datasets", ["theme"], unique=False)

    op.create_table(
        "incidents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reported_by", sa.String(), nullable=False),
        sa.Column("aware_at", sa.String(27), nullable=False),
        sa.Column("notify_by", sa.String(27), nullable=False),
        sa.Column("nature", sa.Text(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=True),
        sa.Column("consequences", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("risk", sa.String(), nullable=False),
        sa.Column("notified_at", sa.String(27), nullable=True),
        sa.Column("delay_reason", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.String(27), nullable=True),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["reported_by"], ["people.id"], name="fk_incidents_reported_by_people"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("permit_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("use_case", sa.String(), nullable=False),
        sa.Column("synthesizer", sa.String(), nullable=False),
        sa.Column("epsilon", sa.Double(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=True),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("artefact_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("updated_at", sa.String(27), nullable=False),
        sa.Column("deadline", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_orders_person_id_people"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
    )
    op.create_index("ix_orders_dataset_id", "orders", ["dataset_id"], unique=False)
    op.create_index("ix_orders_offer_id", "orders", ["offer_id"], unique=False)
    op.create_index("ix_orders_permit_id", "orders", ["permit_id"], unique=False)
    op.create_index("ix_orders_person_id", "orders", ["person_id"], unique=False)
    op.create_index("ix_orders_state", "orders", ["state"], unique=False)

    op.create_table(
        "requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("dataset_ids", sa.JSON(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("former", sa.String(), nullable=True),
        sa.Column("clock", sa.String(), nullable=True),
        sa.Column("clock_started", sa.String(27), nullable=True),
        sa.Column("deadline", sa.String(27), nullable=True),
        sa.Column("prolonged", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("updated_at", sa.String(27), nullable=False),
        sa.Column("submitted_at", sa.String(27), nullable=True),
        sa.Column("complete_at", sa.String(27), nullable=True),
        sa.Column("decided_at", sa.String(27), nullable=True),
        sa.Column("delivered_at", sa.String(27), nullable=True),
        sa.Column("publish_by", sa.String(27), nullable=True),
        sa.Column("assessor_id", sa.String(), nullable=True),
        sa.Column("decider_id", sa.String(), nullable=True),
        sa.Column("recommendation", sa.String(), nullable=True),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("justification", sa.Text(), nullable=False),
        sa.Column("fee", sa.JSON(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=True),
        sa.Column("permit_id", sa.String(), nullable=True),
        sa.Column("change", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_requests_person_id_people"),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
    )
    op.create_index("ix_requests_deadline", "requests", ["deadline"], unique=False)
    op.create_index("ix_requests_decided_at", "requests", ["decided_at"], unique=False)
    op.create_index("ix_requests_kind", "requests", ["kind"], unique=False)
    op.create_index("ix_requests_offer_id", "requests", ["offer_id"], unique=False)
    op.create_index("ix_requests_permit_id", "requests", ["permit_id"], unique=False)
    op.create_index("ix_requests_person_id", "requests", ["person_id"], unique=False)
    op.create_index("ix_requests_state", "requests", ["state"], unique=False)
    op.create_index("ix_requests_submitted_at", "requests", ["submitted_at"], unique=False)

    op.create_table(
        "standing_offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("synthesizer", sa.String(), nullable=False),
        sa.Column("epsilon", sa.Double(), nullable=False),
        sa.Column("max_rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=True),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("budget_orders", sa.Integer(), nullable=True),
        sa.Column("valid_until", sa.String(27), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("holder_approved_by", sa.String(), nullable=True),
        sa.Column("holder_approved_at", sa.String(27), nullable=True),
        sa.Column("body_approved_by", sa.String(), nullable=True),
        sa.Column("body_approved_at", sa.String(27), nullable=True),
        sa.Column("withdrawn_at", sa.String(27), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["body_approved_by"], ["people.id"], name="fk_standing_offers_body_approved_by_people"),
        sa.ForeignKeyConstraint(
            ["holder_approved_by"], ["people.id"], name="fk_standing_offers_holder_approved_by_people"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_standing_offers"),
    )
    op.create_index("ix_standing_offers_dataset_id", "standing_offers", ["dataset_id"], unique=False)

    op.create_table(
        "trusted_holders",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("designated_by", sa.String(), nullable=False),
        sa.Column("designated_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_trusted_holders_person_id_people"),
        sa.PrimaryKeyConstraint("person_id", name="pk_trusted_holders"),
    )
    op.create_table(
        "web_sessions",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("seen_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_web_sessions_person_id_people"),
        sa.PrimaryKeyConstraint("digest", name="pk_web_sessions"),
    )
    op.create_index("ix_web_sessions_person_id", "web_sessions", ["person_id"], unique=False)

    op.create_table(
        "artefact_keys",
        sa.Column("artefact_id", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["artefact_id"], ["artefacts.id"], name="fk_artefact_keys_artefact_id_artefacts"),
        sa.PrimaryKeyConstraint("artefact_id", name="pk_artefact_keys"),
    )
    op.create_table(
        "dataset_versions",
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_dataset_versions_dataset_id_datasets"),
        sa.PrimaryKeyConstraint("dataset_id", "version", name="pk_dataset_versions"),
    )
    op.create_table(
        "download_tokens",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("artefact_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.Column("used_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(["artefact_id"], ["artefacts.id"], name="fk_download_tokens_artefact_id_artefacts"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_download_tokens_person_id_people"),
        sa.PrimaryKeyConstraint("digest", name="pk_download_tokens"),
    )
    op.create_index("ix_download_tokens_artefact_id", "download_tokens", ["artefact_id"], unique=False)

    op.create_table(
        "permits",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("dataset_ids", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("odrl", sa.JSON(), nullable=False),
        sa.Column("history", sa.JSON(), nullable=False),
        sa.Column("valid_from", sa.String(27), nullable=False),
        sa.Column("valid_until", sa.String(27), nullable=False),
        sa.Column("extensions", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.String(27), nullable=True),
        sa.Column("revoked_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_permits_person_id_people"),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_permits_request_id_requests"),
        sa.PrimaryKeyConstraint("id", name="pk_permits"),
    )
    op.create_index("ix_permits_person_id", "permits", ["person_id"], unique=False)
    op.create_index("ix_permits_request_id", "permits", ["request_id"], unique=False)
    op.create_index("ix_permits_valid_until", "permits", ["valid_until"], unique=False)

    op.create_table(
        "prepared_tables",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("epsilon", sa.Double(), nullable=True),
        sa.Column("rho", sa.Double(), nullable=True),
        sa.Column("deposited_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_prepared_tables_dataset_id_datasets"),
        sa.PrimaryKeyConstraint("id", name="pk_prepared_tables"),
    )
    op.create_index("ix_prepared_tables_dataset_id", "prepared_tables", ["dataset_id"], unique=False)

    op.create_table(
        "published_results",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("told_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_published_results_request_id_requests"),
        sa.PrimaryKeyConstraint("id", name="pk_published_results"),
    )
    op.create_index("ix_published_results_request_id", "published_results", ["request_id"], unique=False)

    op.create_table(
        "request_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_request_events_request_id_requests"),
        sa.PrimaryKeyConstraint("id", name="pk_request_events"),
    )
    op.create_index("ix_request_events_request_id", "request_events", ["request_id"], unique=False)

    op.create_table(
        "output_requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("permit_id", sa.String(), nullable=False),
        sa.Column("dataset_ids", sa.JSON(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("checker_id", sa.String(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.String(27), nullable=False),
        sa.Column("decided_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(["permit_id"], ["permits.id"], name="fk_output_requests_permit_id_permits"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_output_requests_person_id_people"),
        sa.PrimaryKeyConstraint("id", name="pk_output_requests"),
    )
    op.create_index("ix_output_requests_permit_id", "output_requests", ["permit_id"], unique=False)
    op.create_index("ix_output_requests_person_id", "output_requests", ["person_id"], unique=False)
    op.create_index("ix_output_requests_state", "output_requests", ["state"], unique=False)
    op.create_index("ix_output_requests_submitted_at", "output_requests", ["submitted_at"], unique=False)

    op.create_table(
        "questions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("permit_id", sa.String(), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("rho", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("table_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("answered_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_questions_dataset_id_datasets"),
        sa.ForeignKeyConstraint(["permit_id"], ["permits.id"], name="fk_questions_permit_id_permits"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_questions_person_id_people"),
        sa.ForeignKeyConstraint(["table_id"], ["prepared_tables.id"], name="fk_questions_table_id_prepared_tables"),
        sa.PrimaryKeyConstraint("id", name="pk_questions"),
    )
    op.create_index("ix_questions_dataset_id", "questions", ["dataset_id"], unique=False)
    op.create_index("ix_questions_person_id", "questions", ["person_id"], unique=False)
    op.create_index("ix_questions_state", "questions", ["state"], unique=False)
    # What alembic does not compare: triggers that keep the audit log append-only.
    protect(op.get_bind())


def downgrade() -> None:
    """Back to an empty store."""
    op.drop_table("questions")
    op.drop_table("output_requests")
    op.drop_table("request_events")
    op.drop_table("published_results")
    op.drop_table("prepared_tables")
    op.drop_table("permits")
    op.drop_table("download_tokens")
    op.drop_table("dataset_versions")
    op.drop_table("artefact_keys")
    op.drop_table("web_sessions")
    op.drop_table("trusted_holders")
    op.drop_table("standing_offers")
    op.drop_table("requests")
    op.drop_table("orders")
    op.drop_table("incidents")
    op.drop_table("datasets")
    op.drop_table("artefacts")
    op.drop_table("access_tokens")
    op.drop_table("sign_in_attempts")
    op.drop_table("people")
    op.drop_table("opt_outs")
    op.drop_table("complaints")
    op.drop_table("audit_heads")
    op.drop_table("audit_entries")
