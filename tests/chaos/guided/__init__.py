"""An app whose agent asks whom the settings of the server name."""
