"""How the clip is rendered: what all engines share, and what the chosen engine adds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop_app.document.order import Order
from desktop_app.panels.generation.fields import (
    Field,
    choice_field,
    count_field,
    flag_field,
    move_field,
    name_left_alone,
    number_field,
    parameter_field,
    set_choices,
    steps_field,
    text_field,
)
from desktop_app.panels.generation.prompt import PromptBox
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Speaking, button, label
from desktop_app.widgets.fold import Fold
from desktop_app.work.asking import PromptCheck
from engine.generation.backend import Capabilities, Parameter
from engine.generation.presets import presets
from engine.generation.spec import LengthPolicy, Offload, Precision, RenderSpec, SilencePolicy

_RATES = (
    Fraction(16),
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
)
_SIZES = ((1920, 1080), (1280, 720), (1080, 1920), (720, 1280), (1080, 1080), (704, 384), (512, 512))
_MOST_SEED = 2**31 - 1
_MOST_FACES = 6
_MOST_OFFSET_MS = 500.0
_MOST_FRAMES = 10_000_000
_MOST_LEAD_IN = 100
_MOST_CHUNK = 1000
_HEEDED = frozenset({"lead_in", "online_decode", "online_decode_chunk"})
"""Fields that are only shown where the engine heeds them."""
_CRF = RenderSpec(Path(), Path(), Path()).crf


class RenderForm(Speaking):
    """The fields; each change goes to the order at once."""

    def __init__(self, order: Order, check: PromptCheck, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._order = order
        self._engine: Capabilities | None = None
        self.fields: dict[str, Field] = {}
        self.parameters: dict[str, Field] = {}
        self._clip_title, self._engine_title = label("heading"), label("heading")
        self.prompt = PromptBox(order, check)
        self._dice = button(lambda: order.choose(seed=secrets.randbelow(_MOST_SEED)), kind="link", picture="dice")
        self._preset_title = label("heading")
        self.presets: dict[str, QToolButton] = {}
        self._make_fields()
        self._parameter_column = QVBoxLayout()
        self._parameter_column.setSpacing(2 * GRID)
        self._more = Fold(
            self._column_of(
                "segment_seconds",
                "lead_in",
                "online_decode",
                "online_decode_chunk",
                "devices",
                "offload",
                "precision",
                "allow_smaller",
                "crf",
                "verify",
                "correct_bias",
            )
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        column.addWidget(self._preset_title)
        column.addLayout(self._preset_row())
        column.addWidget(self._engine_title)
        column.addLayout(self._parameter_column)
        column.addWidget(self._clip_title)
        column.addWidget(self.prompt)
        for name in ("fps", "size", "length_policy", "most_frames", "silence_policy", "face"):
            column.addWidget(self.fields[name])
        column.addWidget(self.fields["seed"])
        column.addWidget(self._dice, 0, Qt.AlignmentFlag.AlignRight)
        column.addWidget(self.fields["audio_offset_ms"])
        column.addWidget(self.fields["audio_offset_steps"])
        column.addWidget(self._more)
        order.changed.connect(self._show)
        self.say()

    def show_engine(self, engine: Capabilities | None) -> None:
        """Show the parameters of an engine."""
        self._engine = engine
        for field in self.parameters.values():
            self._parameter_column.removeWidget(field)
            field.hide()
            field.deleteLater()
        self.parameters = {}
        for parameter in engine.parameters if engine else ():
            field = parameter_field(parameter)
            field.edited.connect(lambda value, name=parameter.name: self._order.set_parameter(name, value))
            self.parameters[parameter.name] = field
            self._parameter_column.addWidget(field)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self._engine_title.setText(
            self.tr("SETTINGS OF {engine}").format(engine=self._engine.title.text().upper() if self._engine else "")
        )
        self._engine_title.setVisible(bool(self.parameters))
        self._clip_title.setText(self.tr("CLIP"))
        self._preset_title.setText(self.tr("PRESET"))
        for each in presets():
            self.presets[each.name].setText(each.title.text())
            self.presets[each.name].setToolTip(each.about.text())
        self._dice.setText(self.tr("Another seed"))
        self._more.name(self.tr("Memory, devices and quality"))
        self._say_choices()
        recommended = self.tr("Back to what is recommended")
        for name, (title, sentence) in self._names().items():
            self.fields[name].name(title, sentence, recommended)
        for parameter in self._engine.parameters if self._engine else ():
            back = self.tr("Back to {value}, which is recommended").format(value=_said(parameter))
            self.parameters[parameter.name].name(parameter.title.text(), parameter.help.text(), back)
        self._show()

    def name_of(self, field: str) -> str:
        """Return what a field of a spec is called here; ``parameters.<name>`` is one of the engine's own."""
        own = {"source": self.tr("Face"), "voice": self.tr("Voice"), "target": self.tr("File")}
        own |= {"prompt": self.tr("Prompt")} | {name: title for name, (title, _) in self._names().items()}
        parameters = self._engine.parameters if self._engine else ()
        own |= {f"parameters.{each.name}": each.title.text() for each in parameters}
        return own.get(field, field)

    def _preset_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GRID // 2)
        self._preset_group = QButtonGroup(self)
        for each in presets():
            chip = QToolButton()
            chip.setProperty("kind", "chip")
            chip.setCheckable(True)
            chip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            chip.clicked.connect(lambda _checked, each=each: self._order.set_preset(each))
            self._preset_group.addButton(chip)
            self.presets[each.name] = chip
            row.addWidget(chip, 1)
        return row

    def _make_fields(self) -> None:
        self._add("fps", choice_field([], None))
        self._add("size", choice_field([], None))
        self._add("length_policy", choice_field([(each, each) for each in LengthPolicy], LengthPolicy.END_WITH_VOICE))
        self._add("most_frames", count_field(_MOST_FRAMES, least=1))
        self._add("silence_policy", choice_field([(each, each) for each in SilencePolicy], SilencePolicy.CLOSED))
        self._add("face", choice_field([], None))
        self._add("seed", number_field(0, minimum=0, maximum=_MOST_SEED, step=1, is_whole=True))
        self._add("audio_offset_ms", move_field(_MOST_OFFSET_MS))
        self._add("segment_seconds", choice_field([], None))
        self._add("audio_offset_steps", steps_field())
        self._add("lead_in", count_field(_MOST_LEAD_IN, least=0))
        self._add("online_decode", flag_field(recommended=False))
        self._add("online_decode_chunk", count_field(_MOST_CHUNK, least=1))
        self._add("devices", text_field("auto"), read=_devices)
        self._add("offload", choice_field([(each, each) for each in Offload], Offload.AUTO))
        self._add("precision", choice_field([(each, each) for each in Precision], Precision.AUTO))
        self._add("allow_smaller", flag_field(recommended=False))
        self._add("verify", flag_field(recommended=True))
        self._add("correct_bias", flag_field(recommended=True))
        self._add("crf", number_field(_CRF, minimum=0, maximum=51, step=1, is_whole=True))

    def _add(self, name: str, field: Field, read: Callable[[object], object] = lambda value: value) -> None:
        field.edited.connect(lambda value: self._order.choose(**{name: read(value)}))
        self.fields[name] = field

    def _column_of(self, *names: str) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        for name in names:
            column.addWidget(self.fields[name])
        return box

    def _names(self) -> dict[str, tuple[str, str]]:
        return {
            "fps": (self.tr("Frame rate"), self.tr("Automatic is the video's own, where the engine can draw it.")),
            "size": (self.tr("Size"), self.tr("Smaller is faster and needs less memory.")),
            "length_policy": (
                self.tr("When voice and video differ in length"),
                self.tr("Decides where the clip ends, and what a video does that is too short."),
            ),
            "most_frames": (self.tr("Pictures at most"), self.tr("The clip ends there, its sound with it.")),
            "silence_policy": (self.tr("In pauses"), self.tr("What the mouth does while nobody speaks.")),
            "face": (self.tr("Which face"), self.tr("Only this one speaks; all others stay as they are.")),
            "seed": (self.tr("Seed"), self.tr("Same choices, same seed, same pictures.")),
            "audio_offset_ms": (
                self.tr("Move the mouth"),
                self.tr("Moves what drives the mouth against the sound that is heard, which stays where it is."),
            ),
            "audio_offset_steps": (
                self.tr("From a time on"),
                self.tr("Moves the mouth by another amount from a moment on, such as 0:30 20 earlier; 1:05 10 later."),
            ),
            "segment_seconds": (self.tr("Keep finished work every"), self.tr("A stopped render goes on from there.")),
            "lead_in": (
                self.tr("Pictures before the first one"),
                self.tr("They are drawn while it hears silence and thrown away, so that the first word is in step."),
            ),
            "online_decode": (
                self.tr("Continue from decoded pictures"),
                self.tr("Steadier over minutes, a little slower."),
            ),
            "online_decode_chunk": (
                self.tr("Pictures at a time"),
                self.tr("Fewer need less memory and take longer."),
            ),
            "devices": (self.tr("Devices"), self.tr("auto, cpu, or cards such as cuda:0, cuda:1.")),
            "offload": (self.tr("Weights wait in main memory"), self.tr("Saves graphics memory and costs time.")),
            "precision": (
                self.tr("Number format"),
                self.tr("Fewer bits need less memory; automatic takes what the device is good at."),
            ),
            "allow_smaller": (
                self.tr("May get smaller"),
                self.tr("When memory does not suffice, a smaller clip is better than none."),
            ),
            "verify": (
                self.tr("Measure the result"),
                self.tr("Says how far lips and sound of the finished clip are apart; without it nobody has looked."),
            ),
            "correct_bias": (
                self.tr("Take out the engine's own offset"),
                self.tr("A constant offset that is measured in the result is removed by moving its sound."),
            ),
            "crf": (
                self.tr("Picture quality (CRF)"),
                self.tr("Smaller is better; 16 cannot be told from the original."),
            ),
        }

    def _say_choices(self) -> None:
        engine = self._engine
        rates = engine.fps if engine and engine.fps else _RATES
        self._offer("fps", [(None, self.tr("Automatic")), *((rate, self._rate(rate)) for rate in rates)])
        sizes = [size for size in _SIZES if engine is None or _can_draw(engine, size)]
        self._offer("size", [(None, self.tr("As the face")), *((size, f"{size[0]} × {size[1]}") for size in sizes)])
        self._offer(
            "length_policy",
            [
                (LengthPolicy.END_WITH_VOICE, self.tr("End with the voice")),
                (LengthPolicy.HOLD, self.tr("Hold the last picture")),
                (LengthPolicy.LOOP, self.tr("Repeat the video")),
                (LengthPolicy.PING_PONG, self.tr("Forth and back")),
                (LengthPolicy.CUT, self.tr("End with the shorter")),
            ],
        )
        self._offer(
            "silence_policy",
            [
                (SilencePolicy.CLOSED, self.tr("Mouth shut")),
                (SilencePolicy.ORIGINAL, self.tr("As in the original")),
            ],
        )
        faces = [(number, self.tr("No. {number} from the left").format(number=number)) for number in _faces()]
        self._offer("face", [(None, self.tr("The largest")), *faces])
        lengths = [(Fraction(seconds), self.tr("{seconds} s").format(seconds=seconds)) for seconds in (1, 2, 3, 5, 10)]
        self._offer("segment_seconds", [(None, self.tr("By length")), *lengths])
        self._offer(
            "offload",
            [
                (Offload.AUTO, self.tr("As needed")),
                (Offload.NONE, self.tr("Never")),
                (Offload.MODEL, self.tr("Part by part")),
                (Offload.LAYERS, self.tr("Layer by layer")),
            ],
        )
        for name in ("lead_in", "online_decode_chunk"):
            name_left_alone(self.fields[name], self.tr("Automatic"))
        name_left_alone(self.fields["most_frames"], self.tr("No limit"))
        names = {Precision.AUTO: self.tr("Automatic")}
        self._offer("precision", [(each, names.get(each, each.value.upper())) for each in Precision])

    def _offer(self, name: str, choices: list[tuple[object, str]]) -> None:
        set_choices(self.fields[name].editor, choices)  # type: ignore[arg-type] # these fields have lists

    def _rate(self, rate: Fraction) -> str:
        return self.tr("{rate} fps").format(rate=f"{float(rate):.3f}".rstrip("0").rstrip("."))

    def _show(self) -> None:
        spec = self._order.choices
        self._preset_group.setExclusive(False)
        for name, chip in self.presets.items():
            chip.setChecked(self._order.preset is not None and name == self._order.preset.name)
        self._preset_group.setExclusive(True)
        for name, field in self.fields.items():
            value = getattr(spec, name)
            field.show_value(", ".join(value) if name == "devices" else value)
            field.setVisible(name not in _HEEDED or (self._engine is not None and name in self._engine.heeds))
        self.fields["correct_bias"].setEnabled(spec.verify)
        for name, field in self.parameters.items():
            if self._engine is not None:
                field.show_value(self._engine.values(spec)[name])
        self.prompt.setVisible(self._engine is not None and self._engine.reads_prompt)


def _said(parameter: Parameter) -> str:
    value = parameter.default
    said = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{said} {parameter.unit}".strip()


def _can_draw(engine: Capabilities, size: tuple[int, int]) -> bool:
    return engine.problem(RenderSpec(Path(), Path(), Path(), engine.name, size=size)) is None


def _devices(text: object) -> tuple[str, ...]:
    return tuple(each.strip() for each in str(text).split(",") if each.strip()) or ("auto",)


def _faces() -> range:
    return range(1, _MOST_FACES + 1)
