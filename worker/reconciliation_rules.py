"""How each connection's two sides are compared: as its syncs would, and by the ways on which changes should come."""

from activities.reconciliation_money_reports import MoneyRules
from activities.reconciliations import ReportRules
from runtime.settings import Settings
from worker.accounts import clients_template
from worker.alerts import watched_streams
from worker.opportunities import document_rules, flow_version
from worker.payments import payment_rules


def report_rules(settings: Settings) -> dict[str, ReportRules]:
    """Return the rules of every connection. Raises WrongSettings."""
    streams = watched_streams(settings)
    return {
        name: ReportRules(
            crm=connection.crm,
            template=clients_template(name, connection),
            sweeps={each.name: connection.clients.sweep_every for each in streams if each.connection == name},
            webhooks=settings.public_url is not None,
            versions={"opportunities": flow_version(connection.opportunities)} if connection.opportunities else {},
        )
        for name, connection in settings.connections.items()
    }


def money_rules(settings: Settings) -> dict[str, MoneyRules]:
    """Return by which rules the opportunities and payments of every connection are compared."""
    return {
        name: MoneyRules(
            crm=connection.crm,
            documents=document_rules(connection.opportunities) if connection.opportunities is not None else None,
            payments=payment_rules(connection.payments) if connection.payments is not None else None,
        )
        for name, connection in settings.connections.items()
    }
