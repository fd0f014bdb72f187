"""``plosive models``: which model files there are, where they are, whether they are whole, and getting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

from engine.cli.exit_codes import ExitCode
from engine.cli.help import CommandGroup
from engine.cli.options import Action, AsJson, Lang, Overwrite, argument, help_text, option

if TYPE_CHECKING:
    from pathlib import Path

    from engine.cli.terminal import Terminal
    from engine.jobs import Job
    from engine.models.catalog import Entry
    from engine.models.finder import Library
    from engine.refusal import Refusal

Result = TypeVar("Result")

app = CommandGroup(help=help_text("models.help"), no_args_is_help=True, epilog=help_text("exit_codes"))

Folders = Annotated[list[str], argument("FOLDER", "models.folder")]


@app.command("list", help=help_text("models.list"))
def _list(as_json: AsJson = False, lang: Lang = None) -> Action:
    def act() -> int:
        from engine.cli.terminal import Terminal
        from engine.models.catalog import catalog, engines, serving
        from engine.models.finder import library

        terminal, found = Terminal(as_json=as_json), library()
        if as_json:
            for each in catalog():
                terminal.json(_record(each, found))
            return ExitCode.DONE
        for engine in engines():
            terminal.title(engine)
            needed = [each for each in catalog() if engine in each.engines]
            useful = [each for each in catalog() if engine in each.useful_to]
            for each in (*needed, *useful):
                _show_entry(terminal, each, found, is_missing=each in needed and found.path(*serving(each)) is None)
        _show_problems(terminal, found)
        return ExitCode.DONE

    return act


@app.command("find", help=help_text("models.find"), no_args_is_help=True)
def _find(folders: Folders, as_json: AsJson = False, lang: Lang = None) -> Action:
    def act() -> int:
        from pathlib import Path

        from engine.cli.terminal import Terminal
        from engine.models.finder import find
        from engine.models.importing import found_nothing
        from engine.models.places import remember_folders
        from engine.refusal import Refused

        terminal, code = Terminal(as_json=as_json), ExitCode.DONE
        for name in folders:
            folder = Path(name)
            if not folder.is_dir():
                raise Refused.because("models.no_folder", path=folder)
            found = _watched(terminal, name, find([folder]))
            if not found.found:
                terminal.refused(name, found_nothing(folder, found.problems).refusal)
                code = ExitCode.BAD_INPUT
                continue
            remember_folders([folder])
            _show_found(terminal, found)
        return code

    return act


@app.command("check", help=help_text("models.check"))
def _check(
    files: Annotated[list[str] | None, argument("FILE", "models.file")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Action:
    def act() -> int:
        from pathlib import Path

        from engine.cli.terminal import Terminal
        from engine.models.checking import check
        from engine.models.finder import library
        from engine.refusal import Refusal

        terminal, code = Terminal(as_json=as_json), ExitCode.DONE
        paths = [Path(file) for file in files or ()] or [each.path for each in library().found]
        for path in paths:
            answer = _watched(terminal, str(path), check(path))
            if isinstance(answer, Refusal):
                terminal.refused(str(path), answer)
                code = max(code, ExitCode.BAD_INPUT)
                continue
            if as_json:
                terminal.json(answer.to_json())
            else:
                terminal.title(str(path))
                terminal.print(f"  {answer.verdict}", "bold green" if answer.is_good else "bold yellow")
            code = max(code, ExitCode.DONE if answer.is_good else ExitCode.OUT_OF_SYNC)
        if not paths:
            _show_nothing(terminal)
        return code

    return act


@app.command("import", help=help_text("models.import"), no_args_is_help=True)
def _import(folders: Folders, as_json: AsJson = False, lang: Lang = None) -> Action:
    def act() -> int:
        from pathlib import Path

        from engine.cli.terminal import Terminal
        from engine.models.importing import import_models

        terminal = Terminal(as_json=as_json)
        return max(_show_files(terminal, name, _watched(terminal, name, import_models(Path(name)))) for name in folders)

    return act


@app.command("download", help=help_text("models.download"), no_args_is_help=True)
def _download(
    names: Annotated[list[str], argument("NAME", "models.name")], as_json: AsJson = False, lang: Lang = None
) -> Action:
    def act() -> int:
        from engine.cli.sentences import say
        from engine.cli.terminal import Terminal
        from engine.models.downloading import download
        from engine.refusal import Refusal

        terminal, code = Terminal(as_json=as_json), int(ExitCode.DONE)
        for each in [entry for name in names for entry in _entries(name)]:
            size = say("models.size", gigabytes=each.size / 1e9) if each.size else ""
            terminal.err.print(
                say("models.downloading", title=each.title, size=size, licence=each.licence), markup=False
            )
            answer = _watched(terminal, each.title, download(each))
            files = answer if isinstance(answer, Refusal) else (answer,)
            code = max(code, _show_files(terminal, each.name, files))
        return code

    return act


@app.command("try", help=help_text("models.try"), epilog=help_text("exit_codes"), no_args_is_help=True)
def _try(
    engine: Annotated[str, argument("ENGINE", "models.engine")],
    output: Annotated[str | None, option("--output", "-o", text="models.output", metavar="OUT")] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Action:
    def act() -> int:
        from engine.cli.batch import Task
        from engine.cli.many_files import Work
        from engine.cli.render_answers import show_render
        from engine.cli.render_jobs import try_file

        arguments = {"engine": engine, "output": output or f"plosive-{engine}.mp4", "overwrite": overwrite}
        work = Work([], 1, as_json=as_json)
        work.files = [engine]
        return work.do([Task(try_file, arguments)], show_render)

    return act


def _watched(terminal: Terminal, name: str, job: Job[Result]) -> Result:
    """Run a job with a bar."""
    from engine.cli.terminal import ProgressBars
    from engine.jobs import run

    with ProgressBars(terminal, [name]) as bars:
        return run(job, lambda progress: bars.update(0, progress))


def _entries(name: str) -> list[Entry]:
    """Return the file of the catalog of that name, or all that an engine needs."""
    from engine.models.catalog import catalog
    from engine.refusal import Refused

    chosen = [each for each in catalog() if each.name == name] or [each for each in catalog() if name in each.engines]
    if not chosen:
        raise Refused.because("models.no_such", name=name)
    return chosen


def _record(entry: Entry, found: Library) -> dict[str, object]:
    path = found.path(entry.name)
    return {
        "name": entry.name,
        "title": entry.title,
        "needed_by": list(entry.engines),
        "useful_to": list(entry.useful_to),
        "path": None if path is None else str(path),
        "size": entry.size or None,
        "licence": entry.licence,
        "repository": entry.repository or None,
    }


def _show_entry(terminal: Terminal, entry: Entry, found: Library, *, is_missing: bool) -> None:
    from rich.markup import escape

    from engine.cli.sentences import say
    from engine.models.downloading import bytes_here

    path = found.path(entry.name)
    mark = "[green]✓[/]" if path else "[red]✗[/]" if is_missing else "[dim]–[/]"
    size = say("models.size", gigabytes=entry.size / 1e9) if entry.size else ""
    terminal.out.print(f"  {mark} {entry.name}  [dim]{escape(f'{entry.title}{size} · {entry.licence}')}[/]")
    if path is not None:
        terminal.print(f"      {path}", "dim")
    elif here := bytes_here(entry):
        terminal.print(f"      {say('models.stopped', gigabytes=here / 1e9, name=entry.name)}", "bold yellow")


def _show_found(terminal: Terminal, found: Library) -> None:
    from engine.cli.sentences import say

    for each in found.found:
        if terminal.as_json:
            terminal.json({"file": str(each.path), "models": list(each.names), "official_size": each.is_official_size})
            continue
        names = " / ".join(each.names)
        terminal.print(
            f"✓ {names}" if len(each.names) == 1 else f"? {say('models.uncertain', names=names)}",
            "bold green" if len(each.names) == 1 else "bold yellow",
        )
        terminal.print(f"    {each.path}", "dim")
    _show_problems(terminal, found)


def _show_problems(terminal: Terminal, found: Library) -> None:
    for problem in found.problems:
        terminal.refused("", problem)


def _show_nothing(terminal: Terminal) -> None:
    from engine.cli.sentences import say

    terminal.err.print(say("models.nothing"), markup=False)


def _show_files(terminal: Terminal, name: str, answer: tuple[Path, ...] | Refusal) -> int:
    from engine.refusal import Refusal

    if isinstance(answer, Refusal):
        terminal.refused(name, answer)
        return ExitCode.BAD_INPUT
    for path in answer:
        if terminal.as_json:
            terminal.json({"file": str(path)})
        else:
            terminal.print(f"✓ {path}", "bold green")
    return ExitCode.DONE
