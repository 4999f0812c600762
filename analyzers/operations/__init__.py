"""How the service runs: traffic, errors, latency, availability.

| module         | what it holds                                                    |
|----------------|------------------------------------------------------------------|
| `looks`        | error rate and p99 latency of the last 5 minutes, each minute    |
| `service`      | the same and more per hour and day, availability with heartbeats |
"""
