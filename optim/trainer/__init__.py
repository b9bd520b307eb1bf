"""The training loop: what it does, what it records, who it calls, and how it goes on after it was killed."""

from . import callbacks
from .callbacks import BestCheckpoint, Callback, EarlyStopping, LambdaCallback, Schedule
from .checkpoints import Checkpoints
from .history import History
from .trainer import Trainer
from .watching import ActivationStatistics, Averaging, GradientStatistics

__all__ = [
    "ActivationStatistics", "Averaging", "BestCheckpoint", "Callback", "Checkpoints", "EarlyStopping",
    "GradientStatistics", "History", "LambdaCallback", "Schedule", "Trainer", "callbacks",
]  # fmt: skip
