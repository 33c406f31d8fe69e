"""What operators can search for in the Temporal UI. Not encrypted: ids and states only, never personal data."""

from temporalio.common import SearchAttributeKey

CONNECTION = SearchAttributeKey.for_keyword("Connection")
FLOW = SearchAttributeKey.for_keyword("Flow")
SYNC_STATE = SearchAttributeKey.for_keyword("SyncState")
HOLD_REASON = SearchAttributeKey.for_keyword("HoldReason")
RECORD_KEY = SearchAttributeKey.for_keyword("RecordKey")

ALL = (CONNECTION, FLOW, SYNC_STATE, HOLD_REASON, RECORD_KEY)

SYNCING = "syncing"
IN_STEP = "in-step"
HELD = "held"
IN_DOUBT = "in-doubt"
