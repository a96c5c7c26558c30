"""How Alembic reaches the database: as the owner, giving up quickly when a table is in use."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from shared.db.models import CompanyRow

config = context.config


def run() -> None:
    engine = create_engine(config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(7232020)"))
        # Waiting for a lock behind a long transaction would stop everybody behind us.
        connection.execute(text("set lock_timeout = '5s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=CompanyRow.metadata,
            transaction_per_migration=True,
            compare_server_default=False,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
