"""
What the service tells about itself, in the forms that others read: Prometheus and OpenTelemetry.
"""
