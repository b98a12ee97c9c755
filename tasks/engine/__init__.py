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
    control     wake, stop, kill and send, from anywhere

The rooms, from the top down; none knows of those above it::

    upkeep      what nobody asks for: looking before the start and all the time, cleaning up
    executing   an attempt from its first step to its last
    claims      which runs are this process's, and for how long
    pipelines   how far pipelines are, and that they go on
    writing     the way into the log: gathered, committed together, then published
    attempts    what an attempt is, what it says, what it hears
    news        how one process hears what another has written
    metrics     what is counted, and what is looked up when somebody reads
    process     threads, children and signals
    store       every SQL statement of the above
"""
