"""A stand-in of FreshBooks: clients, callbacks, OAuth, the identity."""
