"""All uses of Snakemake's private interface, which may change with any version: pyproject.toml pins it.

Called while the Snakefile is read, so nothing heavy is imported.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from snakemake.io import sourcecache_entry
from snakemake.logging import logger

from unscribed.calls import FUNCTION_PARAMS, PACKAGE, check_arguments, closure, settings_fields, split_call
from unscribed.stage import is_argument

PROJECT = PACKAGE.parents[1]  # the folder of the Snakefile


class Section(dict):
    """A section of the configuration in the params of a rule; `link` cuts it to the keys that the function takes."""


def link(workflow: Any) -> None:
    """Give every rule that names functions their sources as the input `code`, and cut its sections to their settings.

    Jobs import the package from this project, too, whichever copy of it is installed.
    Raises ValueError, naming the rule, for a function that does not exist, for files and params that are not its
    arguments, and for a key that its section lacks.
    """
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    for rule in workflow.rules:
        calls = [value for name, value in rule.params.items() if name in FUNCTION_PARAMS]
        try:
            if calls:
                _check_arguments(rule)
                rule.set_input(code=_sources(calls))
                _cut_sections(rule)
        except ValueError as error:
            raise ValueError(f"rule {rule.name}: {error}") from error


def _check_arguments(rule: Any) -> None:
    names = [name for part in (rule.input, rule.output, rule.params) for name, _ in part.items() if is_argument(name)]
    check_arguments(rule.params.call, names, {"threads", *rule.wildcard_names})


def _cut_sections(rule: Any) -> None:
    for name, (place, _) in list(rule.params._get_names()):
        if isinstance(section := rule.params[place], Section):
            fields = settings_fields(rule.params.call, name)
            if missing := [key for key in fields if key not in section]:
                raise ValueError(
                    f"{rule.params.call} takes {', '.join(missing)} in its {name}, and the section has no such key; "
                    "add it to workflow/schemas/config.schema.yaml"
                )
            rule.params[place] = {key: section[key] for key in fields}
            rule.params._set_name(name, place)


def _sources(calls: list[str]) -> Callable[[Any], list[str]]:
    """Return an input function, because Snakemake changes paths that are given directly."""
    paths = [project_file(path) for path in closure(*(split_call(call)[0] for call in calls))]
    return lambda wildcards: paths


def project_file(path: str | Path) -> str:
    """Return a file as the input of a rule; Snakemake remembers files of this project by their path within it.

    So results stay finished when they, the project, or both are moved or copied.
    """
    path = Path(path)
    if not path.is_relative_to(PROJECT):
        return str(path)
    return sourcecache_entry(os.path.relpath(path), path.relative_to(PROJECT).as_posix())


def warn(workflow: Any, message: str | None) -> None:
    """Show a message once, on the screen and in Snakemake's log; jobs, which read the Snakefile again, stay silent."""
    if message and workflow.is_main_process:
        logger.warning(f"warning: {message}")


def force(workflow: Any, stage: str, *rules: str) -> Callable[[Any], list[str]]:
    """Return an input function without files that makes `--forcerun stage` rerun `rules`, the rules of the stage.

    Without it only the target `stage` would run again, which does no work itself. Snakemake calls input functions when
    it knows what is forced and before it decides what to run.
    """

    def mark(wildcards: Any) -> list[str]:
        if stage in workflow.dag_settings.forcerun:
            workflow.dag.forcerules.update(workflow.get_rule(name) for name in rules)
        return []

    return mark
