"""The render itself: prepare the voice, plan, draw, join, put the voice under it, measure, report.

A render that is cancelled, killed or out of disk leaves its finished segments beside the clip; the same render takes
them up, and the result is the same file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path

from engine.generation.advice import advice, measures
from engine.generation.assemble import join, put_voice
from engine.generation.backend import Backend, Capabilities, Estimate, Host, RenderJob, ready
from engine.generation.driving_voice import lay_under, prepared_voice
from engine.generation.face_source import SourceInfo, clip_fps, clip_frames, clip_size, look_at, open_source
from engine.generation.lengths import length_note
from engine.generation.machine import host as this_host
from engine.generation.machine import memory
from engine.generation.plan import FrameMap, Plan, make_plan
from engine.generation.profiles import offered, remember
from engine.generation.registry import open_engine
from engine.generation.report import RenderReport, SyncCheck
from engine.generation.segment_runner import SegmentRunner
from engine.generation.spec import RenderSpec, spec_path
from engine.generation.storage import SegmentStore, discard, locked, removed_if_refused, work_folder
from engine.generation.sync_check import SKIPPED, Checked, check_sync
from engine.generation.telemetry import Telemetry, log_path
from engine.generation.telemetry_log import Log, read_log
from engine.jobs import Job, Progress, part_of
from engine.media.cache import content_key
from engine.media.export.containers import Container, container_of
from engine.media.export.target_file import Fingerprint, check_target, written
from engine.media.opening import local_file
from engine.media.probe import probe
from engine.refusal import Refusal, Refused
from engine.timing import Correction, Offset
from engine.words import Message

_TARGETS = (Container.MP4, Container.MOV, Container.MATROSKA)
_DRAWN_FROM, _DRAWN_TO, _JOINED, _PUT = 0.06, 0.86, 0.88, 0.9
"""Shares of the whole job."""
_UNHASHED = ("target", "verify", "correct_bias", "overwrite", "devices", "offload", "allow_smaller")
"""What of a spec changes no pixel."""
_PIPELINE = 1
"""Grows when this room would make other pictures of the same spec."""


def render(spec: RenderSpec, *, resume: bool = True) -> Job[RenderReport | Refusal]:
    """Render a clip.

    Progress carries :data:`~engine.generation.events.RenderEvent` values. Closing the job keeps the finished segments.

    Args:
        spec: what is wanted.
        resume: take up what an unfinished run of the same spec has left; otherwise that is thrown away.

    Returns:
        A job that returns the report, or a refusal: of the spec, the engine, the files, the disk, or the memory.
    """
    try:
        return (yield from _render(spec, resume=resume))
    except Refused as refused:
        return refused.refusal
    except OSError as error:
        refusal = _disk_refusal(error, spec.target)
        if refusal is None:
            raise
        return refusal


def estimate(spec: RenderSpec) -> Job[Estimate | Refusal]:
    """Check a render and say what it will take, without loading or writing anything.

    The voice's length is taken from its header, so the number of frames may be off by one.
    """
    yield Progress("planning", 0.0)
    try:
        engine, capabilities = _checked_engine(spec)
        try:
            source = look_at(spec.source)
            sound = probe(spec.voice)
            if sound.audio is None:
                return Refusal.of("media.no_sound", path=spec.voice)
            fps = clip_fps(spec, source, capabilities)
            seconds = Fraction(sound.audio.duration or sound.duration or 0)
            plan = _plan(spec, source, capabilities, math.ceil(FrameMap(fps).sample_rate * seconds))
            found = engine.plan(spec, plan, this_host(spec.target.parent))
        finally:
            engine.close()
    except Refused as refused:
        return refused.refusal
    if isinstance(found, Refusal):
        return found
    notes = [*found.notes, *_length_notes(spec, source, plan, seconds), *_profile_notes(spec, capabilities)]
    return Estimate(found.vram_bytes, found.ram_bytes, found.disk_bytes, found.seconds, tuple(notes))


def _length_notes(spec: RenderSpec, source: SourceInfo, plan: Plan, voice: Fraction) -> Iterator[Message]:
    if source.seconds is None:
        return
    note = length_note(spec.length_policy, video=source.seconds, voice=voice, clip=plan.seconds, frame=1 / plan.fps)
    if note is not None:
        yield note


def _profile_notes(spec: RenderSpec, capabilities: Capabilities) -> Iterator[Message]:
    profile = offered(spec, capabilities)
    if profile is not None:
        yield Message(
            "generation.note.profile",
            offset=Offset(profile.offset_ms, profile.uncertainty_ms).words(),
            value=round(profile.audio_offset_ms),
            moved=Correction(round(profile.audio_offset_ms)).words(),
            date=profile.date,
        )


def _checked_engine(spec: RenderSpec) -> tuple[Backend, Capabilities]:
    """Return the engine, ready to be planned with.

    Raises:
        Refused: whatever is wrong with spec or engine.
    """
    if problem := spec.problem():
        raise Refused(problem)
    engine = open_engine(spec.engine)
    capabilities = engine.capabilities()
    if problem := capabilities.problem(spec) or ready(capabilities.requirements):
        raise Refused(problem)
    return engine, capabilities


def _plan(spec: RenderSpec, source: SourceInfo, capabilities: Capabilities, samples: int) -> Plan:
    if source.kind not in capabilities.takes:
        raise Refused.because(f"generation.takes_no_{source.kind}", engine=capabilities.title, path=source.path)
    fps = clip_fps(spec, source, capabilities)
    return make_plan(
        spec,
        fps=fps,
        size=clip_size(spec, source, capabilities),
        frame_count=clip_frames(spec, source, samples, FrameMap(fps)),
        voice_samples=samples,
        block_frames=capabilities.block_frames,
    )


def _render(spec: RenderSpec, *, resume: bool) -> Job[RenderReport]:
    began = time.perf_counter()
    yield Progress("planning", 0.0)
    container = container_of(spec.target)
    if container not in _TARGETS:
        raise Refused.because("generation.container", path=spec.target, suffix=spec.target.suffix or "?")
    for file in (spec.source, spec.voice):
        local_file(file)
    check_target([spec.source, spec.voice], spec.target, overwrite=spec.overwrite, needs=0)
    engine, capabilities = _checked_engine(spec)
    folder = work_folder(spec.target)
    with ExitStack() as stack:
        stack.callback(engine.close)
        if not resume:
            discard(spec.target)
        stack.enter_context(locked(folder))
        store = SegmentStore(folder, digest(spec, capabilities))
        stack.enter_context(removed_if_refused(store))
        telemetry = Telemetry(folder / "telemetry.jsonl")
        stack.callback(telemetry.close)
        run = _Run(spec, engine, capabilities, store, telemetry, this_host(folder), stack)
        report = yield from run.go(began)
        telemetry.close()
    store.remove()
    return report


class _Run:
    """One run of :func:`render`, with the work folder locked."""

    def __init__(
        self,
        spec: RenderSpec,
        engine: Backend,
        capabilities: Capabilities,
        store: SegmentStore,
        telemetry: Telemetry,
        host: Host,
        stack: ExitStack,
    ) -> None:
        self._spec = spec
        self._engine = engine
        self._capabilities = capabilities
        self._store = store
        self._telemetry = telemetry
        self._host = host
        self._stack = stack
        self._voice_is = Fingerprint.of(spec.voice)
        self._notes: list[Message] = []

    def go(self, began: float) -> Job[RenderReport]:
        """Do everything."""
        job, source = yield from part_of(self._prepared(), 0.0, _DRAWN_FROM)
        runner = SegmentRunner(self._engine, job, source, self._store, self._telemetry, self._host, self._check_voice)
        self._stack.callback(runner.close)
        yield from part_of(runner.run(), _DRAWN_FROM, _DRAWN_TO)
        runner.close()  # what the engine holds is not to be in the way of measuring
        self._notes += runner.notes
        self._telemetry.stage("joining")
        picture = self._store.folder / "picture.mp4"
        yield from part_of(join(job.plan, self._store, picture), _DRAWN_TO, _JOINED)
        self._check_voice()
        self._notes += yield from part_of(self._voice_put(job.plan, picture, 0.0), _JOINED, _PUT)
        checked = yield from part_of(self._measured(job.plan, picture), _PUT, 1.0)
        self._remember(job.plan, checked)
        return self._report(job.plan, runner.resumed, checked, time.perf_counter() - began)

    def _prepared(self) -> Job[tuple[RenderJob, SourceInfo]]:
        """Prepare voice, source and plan."""
        self._telemetry.stage("listening")
        loading = time.perf_counter()
        prepared = yield from part_of(prepared_voice(self._spec.voice, self._store.folder), 0.0, 0.7)
        self._telemetry.write(
            "audio_load_time",
            seconds=round(time.perf_counter() - loading, 6),
            voice_seconds=float(prepared.seconds),
        )
        source = look_at(self._spec.source)
        plan = _plan(self._spec, source, self._capabilities, prepared.samples)
        found = self._engine.plan(self._spec, plan, self._host)
        if isinstance(found, Refusal):
            raise Refused(found)
        check_target(
            [self._spec.source, self._spec.voice],
            self._spec.target,
            overwrite=self._spec.overwrite,
            needs=found.disk_bytes,
        )
        voice = yield from part_of(lay_under(prepared, plan, self._store.folder / "driving.wav"), 0.7, 1.0)
        self._stack.callback(voice.close)
        opened = open_source(source, self._spec, plan.size, plan.fps)
        self._stack.callback(opened.close)
        job = RenderJob(self._spec, plan, voice, opened, self._capabilities.values(self._spec), self._store.scratch)
        return job, source

    def _check_voice(self) -> None:
        """Refuse to go on without the voice: it is needed again in the end, and hours may lie between."""
        with suppress(OSError):
            if Fingerprint.of(self._spec.voice) == self._voice_is:
                return
        raise Refused.because("generation.voice_gone", path=self._spec.voice)

    def _voice_put(
        self, plan: Plan, picture: Path, shift_ms: float, *, again: bool = False
    ) -> Job[tuple[Message, ...]]:
        """Write the clip with its sound moved by so much."""
        self._telemetry.stage("muxing")
        # Only the first time there may be a stranger under the clip's name.
        check_target(
            [self._spec.source, self._spec.voice], self._spec.target, overwrite=again or self._spec.overwrite, needs=0
        )
        return (
            yield from put_voice(
                picture, self._spec.voice, self._spec.target, plan, shift_ms=shift_ms, scratch=self._store.folder
            )
        )

    def _measured(self, plan: Plan, picture: Path) -> Job[Checked]:
        if not self._spec.verify:
            return SKIPPED
        self._telemetry.stage("measuring")

        def put(shift_ms: float) -> Job[object]:
            return self._voice_put(plan, picture, shift_ms, again=True)

        return (yield from check_sync(self._spec.target, self._spec.face, put if self._spec.correct_bias else None))

    def _remember(self, plan: Plan, checked: Checked) -> None:
        if checked.check is SyncCheck.CORRECTED and checked.measured is not None:
            remember(self._spec, self._capabilities, plan, self._host, checked.measured)

    def _report(self, plan: Plan, resumed: int, checked: Checked, seconds: float) -> RenderReport:
        self._telemetry.flush()
        log = Log()
        with suppress(Refused):  # a full disk kept the log from being written
            log = read_log(self._store.folder / "telemetry.jsonl")
        notes = list(self._notes)
        if untouched := sum(log.untouched.values()):
            notes.append(Message("generation.note.untouched", count=untouched, all=plan.frame_count))
        report = RenderReport(
            path=self._spec.target,
            spec=self._spec,
            spec_file=spec_path(self._spec.target),
            log_file=log_path(self._spec.target),
            frames=plan.frame_count,
            fps=plan.fps,
            size=plan.size,
            seconds=plan.seconds,
            resumed_segments=resumed,
            segments=len(plan.segments),
            render_seconds=seconds,
            check=checked.check,
            verdict=checked.verdict,
            measured=checked.measured,
            measured_after=checked.after,
            shift_ms=checked.shift_ms,
            statistics=log.statistics(),
            advice=advice(measures(log, memory()[0])),
            notes=tuple(notes),
        )
        self._save_beside(report)
        return report

    def _save_beside(self, report: RenderReport) -> None:
        """Save spec and telemetry beside the clip."""
        with written([], report.spec_file, overwrite=True) as place:
            place.result.write_text(json.dumps(self._spec.to_json(), indent=1, ensure_ascii=False), encoding="utf-8")
        log = self._store.folder / "telemetry.jsonl"
        self._telemetry.close()
        if log.exists():
            log.replace(report.log_file)


def digest(spec: RenderSpec, capabilities: Capabilities) -> str:
    """Return what tells renders apart whose pictures differ: of everything that pixels depend on.

    Raises:
        Refused: as :func:`engine.media.opening.local_file`.
    """
    known = spec.to_json()
    for name in _UNHASHED:
        del known[name]
    known |= {
        "source": content_key(local_file(spec.source)),
        "voice": content_key(local_file(spec.voice)),
        "parameters": dict(sorted(capabilities.values(spec).items())),
        "engine_version": capabilities.version,
        "pipeline": _PIPELINE,
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _disk_refusal(error: OSError, target: Path) -> Refusal | None:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Refusal.of("generation.disk_full", path=target.parent)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return Refusal.of("export.read_only", path=target.parent)
    if error.errno == errno.EFBIG:
        return Refusal.of("export.too_large_for_disk", path=target.parent)
    return None
