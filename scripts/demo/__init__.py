"""The demo: two real models, fourteen days in a few minutes, faults at known times.

    python -m scripts.demo [--once]

It talks to the product as a user would: services log through `collectors.InferenceLogger` and
answer over HTTP, the shipper files, the scheduler and the watches run on a simulated clock. No
document is written into a result index from here, and what the summary says is measured.
"""
