"""The plant: one physical world and all simulated devices in front of it, for virtual time and for live simulation.

    from cellctl_sim.plant.plant import Plant

    plant = Plant(line, streams, faults=())   # streams: name -> RandomStream, the same numbers for the same seed
    plant.device(address)      # ModbusDevice or TextDevice (cellctl_sim.devices.protocols) behind a line-file address
    plant.addresses()          # every device address of the line
    plant.advance(t)           # let the world run up to `t`; every device call does so itself
    plant.next_change(t)       # earliest time after t at which anything in the plant changes by itself, or inf
    plant.subscribe(call)      # `call(t)` after everything done to the plant from outside: a write, a text, a fault;
                               # whoever waits for `next_change` looks again then. Returns `unsubscribe()`
    plant.fault(fault)         # a Fault (cellctl_sim.plant.faults), now or later
    plant.counters()           # name -> how often each actuation happened; `plant.runs()`: machine -> number -> times
    plant.items()              # where everything really is, of what it consists, what was done to it
    plant.incidents()          # what must never happen: a part dropped, two parts in one place, ...

For an in-memory link, with `t` the time at which a request arrives at the device:

- request: `device.read(t, ...)` or `device.write(t, ...)`, then answer after `latency + device.delay(t)`.
  NoAnswer -> the client's timeout runs out; ConnectionCut -> the connection is gone, reconnect; ModbusException ->
  DeviceRefused with its code.
- waiting: `next_change(t)` of *the device* (cheaper than the plant's) says when a read may first give another answer:
  at that time, not after it. The first polling instant `p >= next_change` is the next that can differ. Starting or
  ending faults are changes. Between, hold `leave = device.attend(t, unit, every)` so that the device's watchdog counts
  the polls that are skipped; call `leave(p)` just before the real read at `p`.
- texts: `session = device.open(t)`; `session.receive(t, text)`; after it and at `device.next_change(t)`, forward
  `session.pending(t)`; when `not session.is_open(t)` the connection is gone.

Times at which things happen by themselves are rounded to one microsecond, so that a CPU's last bit changes nothing.
"""
