"""Who reads the shop's news. The app's label is "consumers", and its name is not."""
