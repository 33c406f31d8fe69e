"""Stand-ins of the systems that Ledgerline connects, for trying things out and for tests. Imports nothing of ours."""
