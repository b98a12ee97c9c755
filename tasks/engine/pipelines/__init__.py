"""How far pipelines are, and that they go on."""
