"""An app with a StreamTask of a name that another app has too."""
