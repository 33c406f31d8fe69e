"""A stand-in of FreshBooks: clients, estimates, invoices, items, taxes, staff, callbacks, OAuth, the identity."""
