"""What an action costs: components, cited constants, estimators, technology scaling and pricing."""
