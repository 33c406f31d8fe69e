"""What making and applying plans needs in the worker of all workflows."""

from collections.abc import Callable
from typing import Any

from temporalio.client import Client

from activities.client_plans import PlanActivities, PlanRules
from activities.plan_applying import PlanItemActivities
from runtime.settings import Connection, Settings
from starters.plan_items import PlanAnnouncer
from store.store import Store
from worker.accounts import clients_template
from worker.quotas import account_quota


def plan_activities(temporal: Client, settings: Settings, store: Store) -> list[Callable[..., Any]]:
    """Return the activities of plans that touch only our own store, and announce. Raises WrongSettings."""
    rules = {name: _plan_rules(name, connection, store) for name, connection in settings.connections.items()}
    plans = PlanActivities(store, rules)
    items = PlanItemActivities(store, rules, PlanAnnouncer(temporal, store, settings.crms).item_planned)
    return [
        plans.begin_plan,
        plans.make_plan,
        plans.fail_plan,
        plans.forget_plan,
        items.begin_apply,
        items.announce_items,
        items.settle_item,
        items.end_apply,
    ]


def _plan_rules(name: str, connection: Connection, store: Store) -> PlanRules:
    quotas = {system: account_quota(store, name, connection, system) for system in connection.accounts}
    return PlanRules(clients_template(name, connection), quotas, connection.clients.bulk_limit)
