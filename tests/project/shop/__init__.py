"""The shop: it runs inside its own project, and as an app of Headway's service."""
