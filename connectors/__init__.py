"""A folder for each system: a method an endpoint, a request a call, a meaning for every failure."""
