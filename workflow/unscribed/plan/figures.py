"""The figures of the report: which of the table's figures are drawn, and from which files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from string import Formatter

from unscribed.figures.table import FIGURES, ReportFigure


@dataclass(frozen=True)
class FiguresPlan:
    """`given` tells which needs of figures are met; `values` are those of the wildcards in the names of their files."""

    given: Mapping[str, bool]
    values: Mapping[str, Sequence[str | int]]

    @property
    def drawn(self) -> list[str]:
        """The files of all figures whose needs are met."""
        return self._files([figure for figure in FIGURES if all(self.given[need] for need in figure.needs)])

    def of(self, need: str) -> list[str]:
        """The files of the figures that need `need`, drawn by the target of this name even if no other stage asks."""
        given = {**self.given, need: True}
        figures = [figure for figure in FIGURES if need in figure.needs]
        return self._files([figure for figure in figures if all(given[need] for need in figure.needs)])

    def inputs(self, figure: ReportFigure) -> dict[str, str | list[str]]:
        """Return the input files of a figure by argument: a list where the table has a wildcard."""
        return {
            argument: list(self._expand(path)) if _wildcards(path) else path for argument, path in figure.inputs.items()
        }

    def _files(self, figures: Sequence[ReportFigure]) -> list[str]:
        return [path for figure in figures for path in self._expand(figure.output)]

    def _expand(self, pattern: str) -> Iterator[str]:
        names = _wildcards(pattern)
        for found in product(*(self.values[name] for name in names)):
            yield pattern.format(**dict(zip(names, found, strict=True)))


def _wildcards(pattern: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(pattern) if name]
