"""The notebooks: their flows, then all cells from start to end: ``python -m gradflow_plots.notebooks``.

The list of the gallery says which runs a notebook reads. Executed notebooks are kept with their outputs; the same runs
give the same bytes. With ``--check`` nothing is written: whatever is wrong or differs in kind is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .gallery import add_sources, call, read_gallery, run_flows
from .tables import RunError

#: A notebook as JSON has it.
Notebook = dict[str, Any]

#: A cell may take so many seconds, which is a guard against a kernel that hangs and no budget.
PATIENCE = 600

#: A number, or first a set of lags, whose digits are a name.
_NUMBER = re.compile(
    r"(\{[\d,+]+\})|(?<![\w.])[-+−]?(?:\d[\d,]*)?\.?\d+(?:e[-+−]?\d+)?"
    r"|(?<=[A-Za-z_(\[.])\d+(?:\.\d+)?(?:e[-+]?\d+)?"
)


@dataclass(frozen=True)
class ListedNotebook:
    """A notebook of the list and the runs that it reads."""

    name: str
    runs: list[str]


def read_notebooks(path: Path) -> list[ListedNotebook]:
    """Read the notebooks of the gallery's list; raise ``RunError`` where one reads a run that is not there."""
    names = {run.name for run in read_gallery(path)[0]}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        notebooks = [ListedNotebook(**entry) for entry in table.get("notebook", [])]
    except TypeError as error:
        raise RunError(f"{path}: cannot be read: {error}.") from error
    for notebook in notebooks:
        for run in notebook.runs:
            if run not in names:
                raise RunError(f"{path}: {notebook.name} reads {run}, which is no run of the list.")
    return notebooks


def execute(notebook: Notebook, folder: Path, runs: Path) -> Notebook:
    """Execute all cells in a fresh kernel that stands in ``folder``; raise ``RunError`` at the first that fails."""
    # Only here, so that all else works in the environment of the figures.
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    node = nbformat.reads(json.dumps(notebook), as_version=4)
    with tempfile.TemporaryDirectory() as scratch:
        # The settings of whoever calls are not those of the notebooks.
        own = {"IPYTHONDIR": scratch, "JUPYTER_RUNTIME_DIR": scratch, "JUPYTER_PREFER_ENV_PATH": "1"}
        os.environ.update(own, GRADFLOW_RUNS=str(runs.resolve()))
        # Sockets in the scratch folder instead of ports.
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{scratch}/kernel"}})
        place = {"metadata": {"path": str(folder)}}
        client = NotebookClient(
            node, kernel_name="python3", timeout=PATIENCE, record_timing=False, resources=place, config=config
        )
        try:
            client.execute()
        except CellExecutionError as error:
            plain = re.sub(r"\x1b\[[\d;]*m", "", str(error)).strip()
            raise RunError(f"a cell failed:\n{plain}") from error
        except (CellTimeoutError, DeadKernelError) as error:
            raise RunError(f"the kernel did not answer: {error}") from error
    return tidy(json.loads(nbformat.writes(node)))


def tidy(notebook: Notebook) -> Notebook:
    """Return the notebook without what differs from machine to machine: identities, times, versions."""
    cells = []
    for number, cell in enumerate(notebook["cells"], 1):
        kept = {"cell_type": cell["cell_type"], "id": f"cell-{number:02}", "metadata": {}, "source": cell["source"]}
        if cell["cell_type"] == "code":
            kept |= {"execution_count": cell["execution_count"], "outputs": _joined(cell["outputs"])}
        cells.append({key: kept[key] for key in sorted(kept)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the outputs with what is printed in one piece, however many messages it took."""
    found: list[dict[str, Any]] = []
    for output in outputs:
        last = found[-1] if found else {}
        if output["output_type"] == "stream" == last.get("output_type") and output["name"] == last["name"]:
            last["text"] = [*last["text"], *output["text"]]
        else:
            found.append({key: output[key] for key in sorted(output)})
    return found


def written(notebook: Notebook) -> str:
    """Return the text of a notebook's file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def text_of(lines: str | list[str]) -> str:
    """Return a text that JSON may hold as its lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def kinds(cell: dict[str, Any]) -> list[str]:
    """Say of what kind each output is: its type, and its text without the digits of numbers and the width of gaps."""
    found = []
    for output in cell.get("outputs", []):
        match output["output_type"]:
            case "stream":
                found.append(f"{output['name']}: {_masked(text_of(output['text']))}")
            case "error":
                found.append(f"error {output['ename']}: {output['evalue']}")
            case _:
                data = output["data"]
                found.append(f"{', '.join(sorted(data))}: {_masked(text_of(data.get('text/plain', '')))}")
    return found


def _masked(text: str) -> str:
    return re.sub(r"[\s…]+", " ", _NUMBER.sub(lambda found: found[1] or "#", text)).strip()


def differences(kept: Notebook, executed: Notebook) -> list[str]:
    """List the cells whose outputs are of another kind than those that are kept, and what goes to standard error."""
    found = []
    for number, (before, after) in enumerate(zip(kept["cells"], executed["cells"], strict=True), 1):
        old, new = kinds(before), kinds(after)
        if old != new:
            found.append("\n    ".join([f"cell {number}: kept is", *old, "and now comes", *new]))
        elif any(kind.startswith("stderr") for kind in new):
            found.append(f"cell {number}: writes to standard error: {'; '.join(new)}")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give its exit code: 0 done, 1 a notebook that is not as it is kept, 2 one that fails."""
    parser = argparse.ArgumentParser(prog="python -m gradflow_plots.notebooks", description="Execute the notebooks.")
    parser.add_argument("names", nargs="*", help="the notebooks, without .ipynb; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs from what is kept")
    add_sources(parser)
    parser.add_argument("--folder", type=Path, default=Path("plots/notebooks"), help="where the notebooks are")
    options = parser.parse_args(arguments)
    try:
        return _execute_all(options)
    except (RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _execute_all(options: argparse.Namespace) -> int:
    known = read_notebooks(options.list)
    unknown = set(options.names) - {one.name for one in known}
    if unknown:
        names = ", ".join(one.name for one in known)
        raise RunError(f"{options.list}: no notebook {', '.join(sorted(unknown))}; there are {names}.")
    listed = [one for one in known if not options.names or one.name in options.names]
    needed = {run for notebook in listed for run in notebook.runs}
    runs = [run for run in read_gallery(options.list)[0] if run.name in needed]
    run_flows(runs, options.program, options.runs, call)
    status = 0
    for one in listed:
        path = options.folder / f"{one.name}.ipynb"
        kept = json.loads(path.read_text(encoding="utf-8"))
        # Notebooks stand in their folder when people open them, and have to work from the repository's root, too.
        try:
            executed = execute(kept, Path.cwd() if options.check else options.folder, options.runs)
        except RunError as error:
            raise RunError(f"{path}: {error}") from error
        found = differences(kept if options.check else executed, executed)
        for text in found:
            print(f"{path}: {text}", file=sys.stderr)
            status = 1
        if not options.check:
            path.write_text(written(executed), encoding="utf-8")
        print(f"{path}: {len(kept['cells'])} cells{'' if found else ', well'}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
