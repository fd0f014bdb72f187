"""Write a corrected copy of a clip: lossless, compatible, stretched or piecewise, each measured again."""

from engine.media.export.containers import default_target
from engine.media.export.job import export
from engine.media.export.report import Check, ExportReport, Fate, Mode, StreamFate

__all__ = ["Check", "ExportReport", "Fate", "Mode", "StreamFate", "default_target", "export"]
