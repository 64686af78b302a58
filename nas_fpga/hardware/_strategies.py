"""The strategies of hls4ml: how all layers of a network are laid on the FPGA."""

from __future__ import annotations

from typing import Literal, get_args

Strategy = Literal["distributed_arithmetic", "latency", "resource"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
