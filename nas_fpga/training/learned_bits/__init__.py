"""Training with learned bit widths (HGQ). Importing this loads JAX."""

from nas_fpga.training.learned_bits._trainer import LearnedBitsTrainer

__all__ = ["LearnedBitsTrainer"]
