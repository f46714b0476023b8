"""
Messages in through NATS JetStream: one stream, `clientela-in`, of what other systems tell.

    stream        how it must be configured      sender       on whose behalf a message speaks
    consumer      fetch, carry out, acknowledge

The stream is a queue: a message is in it until it is carried out or parked, and then gone. One
process consumes at a time, under a lease, so that messages of one client keep their order.
"""
