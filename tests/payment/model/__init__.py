"""A walk of random commands beside a simple model of what each person is owed: no double, no loss (see docs/dev/house.md)."""
