"""An attempt from its first step to its last: the task's own code is called here."""
