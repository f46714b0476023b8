"""
The bus over NATS JetStream: one stream, `clientela`, of every event of the company.

    bus           what the services see       connection    to the broker, and what goes wrong there
    stream        how it must be configured   tail          writing after the end, and only there
    acks          the broker's answers        pace          one by one or as a batch

A writer says with everything it writes which message it takes for the last one of the stream
(`Nats-Expected-Last-Sequence`). That is the fence: stricter than one for each partition, since all
of them are written by one relay, and so cheap that a batch needs no answer in between.
"""
