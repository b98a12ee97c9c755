"""An app of ``HEADWAY_APPS``: what a live server runs while it is measured."""
