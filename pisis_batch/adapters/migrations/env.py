"""Alembic's entry: migrations run on the connection that the registry hands over."""

from alembic import context

from pisis_batch.adapters.sql_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
