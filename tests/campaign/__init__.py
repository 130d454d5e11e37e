"""The campaign: kills, errors, hostile files and planted defects, counted in `ledger.json`. Run with `make campaign`."""
