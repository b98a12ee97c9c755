"""What executes runs.

::

    supervisor  owns the process's TaskGroup and these children:
      examination whether this process can do its work; looked at first
      claimer     takes waiting runs from the store, as many as there is room for
      executor    one run's life, step by step, through a runner
      journal     the only writer: commits events and states, then publishes
      leases      a thread that keeps this process's runs its own; rescue of others'
      postman     brings messages to the attempts that wait for them
      presence    a thread that tells others of this process
      retention   a thread that deletes finished runs when they are old
      unserved    warns of runs that wait where no process takes them
      watchdog    a thread that sees the event loop blocked
    store       every SQL statement of the above
    control     wake, stop, kill and send, from anywhere
"""
