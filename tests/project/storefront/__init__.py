"""A small shop, as a user of Headway would have it: nothing here knows of Headway's tests."""
