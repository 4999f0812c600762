"""What a service imports to be observed.

>>> import collectors, tempfile
>>> log = collectors.InferenceLogger("contracts/credit.yaml")          # doctest: +SKIP
>>> with log.prediction(version="3.2.0", features={"age": 41}) as p:   # doctest: +SKIP
...     p.output(label="accepted", score=0.83)
>>> log.label(p.id, "refused", source="core-banking")                  # doctest: +SKIP

A log call masks, encodes and writes one whole line before it returns: there is no queue and no
thread, and a kill -9 after it loses nothing. Nothing raises into the service.
"""

from collectors.context import bind
from collectors.contract import Contract, ContractError, load, loads
from collectors.handlers import SegmentHandler, configure_logging
from collectors.logger import Counters, InferenceLogger, Prediction
from collectors.segments import SpoolError

__all__ = [
    "Contract",
    "ContractError",
    "Counters",
    "InferenceLogger",
    "Prediction",
    "SegmentHandler",
    "SpoolError",
    "bind",
    "configure_logging",
    "load",
    "loads",
]
