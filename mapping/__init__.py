"""Which field goes where: rules as data, and the pure engine that applies them."""
