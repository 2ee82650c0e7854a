"""The source files, arguments and settings of the functions that rules call, found by parsing, without importing them.

A rule names its function in `params`, for example `hmm.train:hmm_train`. From that name follow the sources whose edit
must rerun the rule, and the keys of the configuration that the function takes.
Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

import ast
import functools
from collections.abc import Collection, Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent
FUNCTION_PARAMS = ("call", "reader", "encoder")  # the params of a rule that name functions


def split_call(call: str) -> tuple[str, str]:
    """Split `module:function` into the module (within the package) and the function, which must exist.

    Raises ValueError if one of them does not.
    """
    module, _, function = call.partition(":")
    if module not in modules() or function not in _definitions(module):
        raise ValueError(f"{call}: there is no such function in {PACKAGE}")
    return module, function


@functools.cache
def modules() -> dict[str, Path]:
    """Return the file of every module by its name within the package; a folder's `__init__` has the folder's name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def closure(*names: str) -> list[Path]:
    """Return the files of the modules `names` and of all that they import, directly or not, in order of their names.

    Imports inside functions count, those under TYPE_CHECKING do not.
    """
    seen: set[str] = set()
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imported(name)
    return [modules()[name] for name in sorted(seen)]


@functools.cache
def imported(name: str) -> frozenset[str]:
    """Return the modules of the package that the module `name` imports, and the packages that contain them."""
    found: set[str] = set(_parents(name))
    for node in _imports(_tree(name)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        else:
            targets = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for target in targets:
            inside = target.removeprefix(PACKAGE.name).removeprefix(".")
            if target.split(".")[0] == PACKAGE.name and inside in modules():
                found |= {inside, *_parents(inside)}
    return frozenset(found - {name})


def takes(call: str, argument: str) -> bool:
    """Tell whether the function `call` has an argument of this name. Raises ValueError if there is no such function."""
    return argument in [found.arg for found in _arguments(call)]


def check_arguments(call: str, given: Collection[str], offered: Collection[str]) -> None:
    """Check that a rule's files and params are just the arguments of its function `call`.

    `given` are the names that the function must take, `offered` those that it may: threads and wildcards.
    Raises ValueError, which names what the function does not take and what it lacks.
    """
    known = {found.arg for found in _arguments(call)}
    if unknown := sorted(set(given) - known):
        raise ValueError(f"{call} does not take {', '.join(unknown)}; it takes {', '.join(sorted(known))}")
    if missing := sorted(_required(call) - {*given, *offered}):
        raise ValueError(f"{call} needs {', '.join(missing)}, which the rule does not give")


def _required(call: str) -> set[str]:
    """The arguments of a function that have no default."""
    module, function = split_call(call)
    found = _definitions(module)[function]
    assert isinstance(found, ast.FunctionDef)
    pairs = zip(found.args.kwonlyargs, found.args.kw_defaults, strict=True)
    plain = found.args.args[: len(found.args.args) - len(found.args.defaults)]
    return {one.arg for one in plain} | {one.arg for one, default in pairs if default is None}


def settings_fields(call: str, argument: str) -> list[str]:
    """Return the fields of the dataclass that annotates `argument` of the function `call`: keys of a section.

    Raises ValueError if there is no such argument, or its type is not a class of the package.
    """
    module, _ = split_call(call)
    for found in _arguments(call):
        if found.arg == argument and isinstance(found.annotation, ast.Name):
            return _fields(module, found.annotation.id, call)
    raise ValueError(f"{call} has no argument {argument} that is annotated with a class")


def _arguments(call: str) -> list[ast.arg]:
    module, function = split_call(call)
    definition = _definitions(module)[function]
    return definition.args.kwonlyargs + definition.args.args if isinstance(definition, ast.FunctionDef) else []


def _fields(module: str, name: str, call: str) -> list[str]:
    definition = _definitions(module).get(name)
    if isinstance(definition, ast.ClassDef):
        bases = [base.id for base in definition.bases if isinstance(base, ast.Name)]
        inherited = [field for base in bases for field in _fields(module, base, call)]
        targets = [line.target for line in definition.body if isinstance(line, ast.AnnAssign)]
        return inherited + [target.id for target in targets if isinstance(target, ast.Name)]
    for node in _imports(_tree(module)):
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            return _fields((node.module or "").removeprefix(f"{PACKAGE.name}."), name, call)
    raise ValueError(f"{call}: {name} is not a class of the package")


def _parents(name: str) -> list[str]:
    """Return the packages that contain a module; importing it runs their `__init__` as well."""
    parts = name.split(".") if name else []
    return [".".join(parts[:length]) for length in range(len(parts))]


@functools.cache
def _tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


@functools.cache
def _definitions(name: str) -> dict[str, ast.stmt]:
    """Return the functions and classes at the top level of a module, by name."""
    return {node.name: node for node in _tree(name).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports below a node, but for those under TYPE_CHECKING; only statements are searched."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        blocks = ["orelse"]
    else:
        blocks = ["body", "orelse", "handlers", "finalbody", "cases"]
    for child in (child for block in blocks for child in getattr(node, block, ())):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        else:
            yield from _imports(child)
