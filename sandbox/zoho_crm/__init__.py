"""A stand-in of Zoho CRM: leads, contacts, accounts and deals, search and COQL, notification channels, OAuth."""
