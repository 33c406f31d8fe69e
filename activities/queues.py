"""Where activities run. Each account has a queue of its own, so that Temporal can hold all workers to its quota."""

CAPSULE = "capsule"
ZOHO_CRM = "zoho_crm"
FRESHBOOKS = "freshbooks"


def account_queue(system: str, connection: str) -> str:
    """Return the task queue of the activities that call one account, such as `capsule@acme`."""
    return f"{system}@{connection}"
