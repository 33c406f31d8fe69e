"""Which field goes where, as data, and the pure engine that reads it. Imports nothing else of ours and does no I/O."""
