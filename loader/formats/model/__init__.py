"""The model: options, plans, slices and parsed batches, and the errors about them."""
