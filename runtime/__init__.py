"""Settings, Temporal, keys, queues, logs and metrics: what every process needs."""
