"""What the window says to the engine's process and what it hears back. Light: no engine room is imported.

One message per line, as :mod:`engine.wire` writes it: a dictionary with ``"say"`` and what goes with it.

To the worker: ``do`` (``job``: number, ``request``: one of the classes below), ``cancel`` (``job``), ``pause``
(``job``), ``continue`` (``job``), ``language`` (``code``), ``leave``. From the worker: ``hello``
(``protocol``), ``alive``, ``progress`` (``job``, ``stage``, ``done``, ``partial``), ``result`` (``job``, ``value``:
also a refusal), ``fault`` (``job``, ``details``), ``cancelled`` (``job``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.generation.spec import ParameterValue, RenderSpec
from engine.media.export.report import AnyCorrection, Mode
from engine.media.export.treatment import Treatment
from engine.media.interchange.formats import EditFormat
from engine.sync.result import Measurement

PROTOCOL = 1
"""Grows with every change that an older other side would misunderstand."""

HEARTBEAT_SECONDS = 1.0
"""How often the worker says that it is alive, busy or not."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Measure a clip; see :func:`engine.sync.measure.measure`. Answered by a Measurement."""

    path: Path
    audio: Path | None = None
    thorough: bool = False
    face: int | None = None
    start: float | None = None
    stop: float | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """Write a corrected copy; see :func:`engine.media.export.job.export`. Answered by an ExportReport."""

    source: Path
    target: Path
    correction: AnyCorrection
    mode: Mode
    audio: Path | None = None
    treatment: Treatment | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class WriteEdit:
    """Write a correction for editors; see :func:`engine.media.interchange.job.write_edit`. Answered by an EditFile."""

    clip: Path
    target: Path
    correction: AnyCorrection
    form: EditFormat
    audio: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Draw:
    """Draw a measurement, before and after, as PNG or PDF: :func:`engine.plot.draw_report`. Answered by its path."""

    before: Measurement
    target: Path
    correction: AnyCorrection | None = None
    after: Measurement | None = None
    audio: Path | None = None


@dataclass(frozen=True, slots=True)
class Doctor:
    """Examine the sound of a file; see :func:`engine.sound.doctor.examine`. Answered by a Diagnosis."""

    path: Path


@dataclass(frozen=True, slots=True)
class Prepare:
    """Write the voice of a file for speech models; see :func:`engine.sound.prepare.prepare`. Answered by its path."""

    path: Path
    target: Path | None = None


@dataclass(frozen=True, slots=True)
class Relabel:
    """Write sound under its true sample rate; see :func:`engine.sound.relabel.relabel`. Answered by its path."""

    path: Path
    rate: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Make the sample clip; answered by its path."""

    target: Path
    offset_ms: float = 80.0


@dataclass(frozen=True, slots=True)
class Warm:
    """Import what measuring needs, so that the first measurement starts at once. Answered by ``None``."""


@dataclass(frozen=True, slots=True)
class Engines:
    """Ask every engine what it can do here. Answered by a tuple of EngineStatus."""


@dataclass(frozen=True, slots=True)
class PlanRender:
    """Check a render and estimate what it takes, without loading anything. Answered by an Estimate."""

    spec: RenderSpec


@dataclass(frozen=True, slots=True)
class Render:
    """Render a clip; see :func:`engine.generation.render.render`. Answered by a RenderReport.

    Its progress carries the events of :mod:`engine.generation.events`.
    """

    spec: RenderSpec
    resume: bool = True


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Measure an engine's own offset on a short clip and remember it. Answered by a CalibrationProfile."""

    engine: str
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckPrompt:
    """Hear whether a prompt fits a voice; see :func:`engine.generation.prompts.check_prompt`.

    Answered by a PromptAdvice.
    """

    voice: Path
    prompt: str


@dataclass(frozen=True, slots=True)
class FindModels:
    """Look for model files in all known folders; see :func:`engine.models.finder.find`. Answered by a Library."""


@dataclass(frozen=True, slots=True)
class CheckModel:
    """Read a model file whole and compare it; see :func:`engine.models.checking.check`. Answered by a Checked."""

    path: Path


@dataclass(frozen=True, slots=True)
class ImportModels:
    """Copy model files out of a folder; see :func:`engine.models.importing.import_models`. Answered by their paths."""

    folder: Path


@dataclass(frozen=True, slots=True)
class DownloadModel:
    """Fetch a file of the catalog because the user asked for it; see :func:`engine.models.downloading.download`.

    Answered by its path. The only request that uses the network.
    """

    name: str


Request = (
    Measure
    | Export
    | WriteEdit
    | Draw
    | Doctor
    | Prepare
    | Relabel
    | Sample
    | Warm
    | Engines
    | PlanRender
    | Render
    | Calibrate
    | CheckPrompt
    | FindModels
    | CheckModel
    | ImportModels
    | DownloadModel
)
