"""The tests, and what they share: `tests.<folder>.<module>`, from the checkout on."""
