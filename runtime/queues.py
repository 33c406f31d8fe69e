"""Task queues that belong to the installation. The queues of accounts stand with the activities that use them."""

WORKFLOW_QUEUE = "ledgerline"
