"""A stand-in of Capsule CRM: parties, their custom fields and tags, users, REST hooks, OAuth."""
