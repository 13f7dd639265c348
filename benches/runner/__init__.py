"""The bench: which servers, which rows, how they are measured, and the page that tells it."""
