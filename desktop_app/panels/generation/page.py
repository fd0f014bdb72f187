"""The generation page: choose on the left, watch in the middle, the list of renders on the right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_app.actions import Actions
from desktop_app.document.order import Order
from desktop_app.images import to_image
from desktop_app.panels.generation.columns import Columns
from desktop_app.panels.generation.engines import PUBLISHED, EnginePicker
from desktop_app.panels.generation.estimate import EstimateLine
from desktop_app.panels.generation.face_and_voice import FaceAndVoice
from desktop_app.panels.generation.face_marker import FaceMarker
from desktop_app.panels.generation.following import Following
from desktop_app.panels.generation.form import RenderForm
from desktop_app.panels.generation.render_list import RenderList
from desktop_app.panels.generation.run_card import RunCard
from desktop_app.panels.generation.stage import RenderStage
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Speaking, action_button, button, label, rule, scrolling
from desktop_app.work.asking import EngineList, Planning, PromptCheck
from desktop_app.work.rendering import Rendering, RenderItem
from engine.generation.registry import EngineStatus
from engine.generation.spec import RenderSpec
from engine.timing import clock_words


class GenerationPage(Speaking):
    """Everything about rendering.

    Attributes:
        order: what is to be rendered next.
        inputs: the face and the voice.
        picker: the engines.
        form: how it is rendered.
        columns: where all this is, side by side.
        stage: the big picture.
        run_card: the render that is shown.
        renders: all renders.
    """

    opened = Signal(object)
    """A clip is to be opened on the timeline; its path."""
    refused = Signal(object)
    """Something cannot be used; the refusal."""
    models_wanted = Signal()
    """The page of model files is to be shown."""
    log_wanted = Signal(object)
    """The advice for a log is to be shown; its path."""

    def __init__(
        self,
        rendering: Rendering,
        engines: EngineList,
        planning: Planning,
        check: PromptCheck,
        actions: Actions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._rendering, self._engines, self._planning = rendering, engines, planning
        self._shown: int | None = None
        self._following = Following(rendering, self._draw, self)
        self.order = Order(rendering.promises, self)
        self._title = label("title")
        self._engine_title = label("heading")
        self.inputs = FaceAndVoice(self.order)
        self.picker, self.form = EnginePicker(), RenderForm(self.order, check)
        self.estimate = EstimateLine(planning)
        self._target_title = label("heading")
        self.target_field = QLineEdit()
        self.target_field.setReadOnly(True)
        self._browse = button(self._ask_target)
        self.render_button = button(self.render_now, kind="primary", picture="generate")
        self.stage, self.run_card, self.renders = RenderStage(), RunCard(rendering), RenderList(rendering)
        self.marker = FaceMarker(self.stage)
        self._build(actions)
        self._connect()
        self.say()

    def set_source(self, path: Path) -> None:
        """Choose the face."""
        self.columns.show_page(0)
        self.inputs.set_source(path)

    def set_voice(self, path: Path) -> None:
        """Choose the voice."""
        self.inputs.set_voice(path)

    def render_now(self) -> None:
        """Put what was chosen in line, and watch it."""
        spec = self.order.spec
        if spec is None or not self.can_render:
            return
        self.order.set_target(None)
        self._show_item(self._rendering.add(spec))

    @property
    def can_render(self) -> bool:
        """Whether everything that is needed was chosen and the engine is ready."""
        engine = self._engines.find(self.order.choices.engine)
        return self.order.spec is not None and engine is not None and engine.is_ready

    def take_over(self) -> None:
        """Let the user bring over settings of the published program of an engine."""
        from desktop_app.panels.generation.take_over import TakeOverPage

        self.picker.choose(PUBLISHED)
        page = TakeOverPage(self.order.choices, self.form.name_of, self.window())
        page.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        page.taken.connect(self._take_spec)
        page.show()

    def close_readers(self) -> None:
        """End the threads that look into files."""
        self._planning.close()
        self.inputs.close_readers()

    def shows(self, number: int) -> bool:
        """Whether this is the render that is shown large."""
        return self.isVisible() and number == self._shown

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("Generate"))
        self._engine_title.setText(self.tr("ENGINE"))
        self._target_title.setText(self.tr("FILE"))
        self.target_field.setAccessibleName(self.tr("The file that will be written"))
        self._browse.setText(self.tr("Change…"))
        self.marker.name(
            (
                self.tr("right eye (left in the picture)"),
                self.tr("left eye (right in the picture)"),
                self.tr("right corner of the mouth"),
                self.tr("left corner of the mouth"),
            ),
            self.tr("Drag the dots to both eyes and both corners of the mouth."),
        )
        self.stage.invite(
            self.tr("Drop a face and a voice"),
            self.tr(
                "A picture or a video of one person, and a recording of what is to be said. "
                "Everything is rendered on this computer and checked for sync before you see it."
            ),
        )
        self._name_columns()
        self._show_engines()
        self._show_order()

    def _name_columns(self) -> None:
        count = len(self._rendering.items)
        renders = self.tr("Renders ({count})").format(count=count) if count else self.tr("Renders")
        self.columns.name(self.tr("New render"), renders)

    def _build(self, actions: Actions) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self._title)
        head.addStretch()
        for name in ("page_models", "page_clip"):
            head.addWidget(action_button(actions[name], kind="", has_text=True))
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(GRID + 4, GRID + 4, GRID + 4, GRID + 4)
        column.setSpacing(GRID)
        column.addWidget(self.inputs)
        column.addSpacing(GRID)
        column.addWidget(self._engine_title)
        column.addWidget(self.picker)
        column.addSpacing(GRID)
        column.addWidget(self.form)
        column.addStretch()
        foot = QVBoxLayout()
        foot.setContentsMargins(GRID + 4, 0, GRID + 4, GRID + 4)
        foot.setSpacing(GRID)
        target = QHBoxLayout()
        target.setSpacing(GRID)
        target.addWidget(self.target_field, 1)
        target.addWidget(self._browse)
        foot.addWidget(rule())
        foot.addWidget(self.estimate)
        foot.addLayout(target)
        foot.addWidget(self.render_button)
        left = QWidget()
        left_column = QVBoxLayout(left)
        left_column.setContentsMargins(0, 0, 0, 0)
        left_column.setSpacing(0)
        left_column.addWidget(scrolling(inside), 1)
        left_column.addLayout(foot)
        middle = QWidget()
        middle_column = QVBoxLayout(middle)
        middle_column.setContentsMargins(0, 0, 0, 0)
        middle_column.setSpacing(GRID)
        middle_column.addWidget(self.stage, 1)
        middle_column.addWidget(self.run_card)
        self.columns = Columns(left, middle, self.renders)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addLayout(head)
        column.addWidget(self.columns, 1)

    def _connect(self) -> None:
        self.inputs.refused.connect(self.refused)
        self.inputs.chosen.connect(self._show_next)
        self.inputs.image_changed.connect(self._show_stage)
        self.picker.chosen.connect(self._choose_engine)
        self.picker.models_wanted.connect(self.models_wanted)
        self.picker.calibration_wanted.connect(self._calibrate)
        self.picker.settings_wanted.connect(self.take_over)
        self.estimate.offset_wanted.connect(lambda ms: self.order.choose(audio_offset_ms=ms))
        self.renders.chosen.connect(self._show_item)
        self.columns.narrowed.connect(self.renders.hide_title)
        self.run_card.opened.connect(self.opened)
        self.run_card.log_wanted.connect(self.log_wanted)
        self.run_card.again_wanted.connect(self._take_again)
        self.run_card.points_wanted.connect(self._mark_again)
        self.marker.moved.connect(lambda points: self.order.choose(face_points=points))
        self.order.changed.connect(self._show_order)
        self._engines.changed.connect(self._show_engines)
        self._rendering.state_changed.connect(self._show_order)
        self._rendering.watched.connect(self._following.soon)
        self._rendering.arranged.connect(self._follow_list)

    # What is chosen.

    def _ask_target(self) -> None:
        target = self.order.target
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Render to"), str(target or ""), "*.mp4;;*.mov;;*.mkv")
        if chosen:
            self.order.set_target(Path(chosen))

    def _choose_engine(self, status: EngineStatus) -> None:
        if status.capabilities is not None:
            self.form.show_engine(status.capabilities)
            self.order.set_engine(status.capabilities)
        else:
            self.form.show_engine(None)
            self.order.choose(engine=status.name)

    def _calibrate(self) -> None:
        self._show_item(self._rendering.calibrate(self.order.choices))

    def _take_again(self, item: RenderItem) -> None:
        self._take_spec(replace(item.spec, target=Path()))

    def _take_spec(self, spec: RenderSpec) -> None:
        """Begin again with these choices; files that are not named stay as they are."""
        self.order.take(spec)
        self.picker.choose(spec.engine)
        for path, choose in ((spec.source, self.set_source), (spec.voice, self.set_voice)):
            if path != Path():
                choose(path)
        self.order.choose(face=spec.face, face_points=spec.face_points)
        self.order.set_target(None if spec.target == Path() else spec.target)

    def _mark_again(self, item: RenderItem) -> None:
        self._take_again(item)
        self.inputs.mark_when_seen()

    # What is shown.

    def _show_engines(self) -> None:
        statuses, chosen = self._engines.statuses, self.order.choices.engine
        if statuses and chosen not in {each.name for each in statuses}:
            chosen = statuses[0].name
        self.picker.show_engines(statuses, chosen, is_asking=self._engines.is_asking)
        engine = self._engines.find(chosen)
        self.form.show_engine(engine)
        if engine is not None:
            self.order.set_engine(engine)
        self._planning.want(self.order.spec if self.can_render else None, again=True)
        self._show_order()

    def _show_order(self) -> None:
        target = self.order.target
        self.target_field.setText("" if target is None else str(target))
        self.target_field.setToolTip(self.target_field.text())
        self._browse.setEnabled(self.order.spec is not None)
        self.render_button.setEnabled(self.can_render)
        engine = self._engines.find(self.order.choices.engine)
        if self.order.source is None or self.order.voice is None:
            hint = self.tr("Choose a face and a voice first")
        elif engine is None or not engine.is_ready:
            hint = self.tr("This engine is not ready: its card says what is missing")
        else:
            hint = ""
        self.render_button.setToolTip(hint)
        self.render_button.setText(
            self.tr("Render next") if any(item.is_open for item in self._rendering.items) else self.tr("Render")
        )
        self.estimate.set_hint(hint)
        self._show_marker()
        self._planning.want(self.order.spec if self.can_render else None)

    def _show_next(self) -> None:
        self._show_item(None)

    def _show_item(self, number: int | None) -> None:
        self._shown = number
        self.renders.mark(number)
        self.run_card.show_item(number)
        self._show_stage()

    def _show_stage(self) -> None:
        item = self._rendering.item(self._shown)
        preview = self._rendering.track(item.number).preview if item is not None else None
        if preview is not None and item is not None:
            self.stage.show_image(to_image(preview.image), clock_words(preview.time))
        elif item is None or item.spec.source == self.order.source:
            self.stage.show_image(self.inputs.image, "")
        else:
            self.stage.show_image(QImage(), "")
        self._show_marker()

    def _show_marker(self) -> None:
        points = self.order.choices.face_points
        if not points or self._shown is not None or self.inputs.image.isNull():
            self.marker.hide()
        elif not self.marker.isVisible() or self.marker.points != points:
            self.marker.begin(points)

    def _draw(self, number: int) -> None:
        if number == self._shown:
            self.run_card.refresh()
            self.run_card.draw()
            self._show_stage()

    def _follow_list(self) -> None:
        if self._rendering.item(self._shown) is None:
            self._show_item(None)
        self._name_columns()
        self._show_order()
