"""The console: what operators see of an installation in a browser, and decide there."""
