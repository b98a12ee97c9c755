"""An app of ``HEADWAY_APPS``: what servers run while they are killed, frozen and watched."""
