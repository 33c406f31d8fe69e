"""Everything that starts or signals a workflow."""
