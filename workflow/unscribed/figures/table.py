"""The table of figures, from which the rules, the targets and the tests of figures are made.

Every Snakemake process imports this module, so it imports nothing heavy.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ReportFigure:
    """A figure of the report: `figures/<name>.png`, with the caption workflow/report/<name>.rst.

    `call` is the function that draws it. `inputs` are its files by argument of that function; a file name with a
    {wildcard} stands for a list, one file for each value (plan/figures.py). The report groups figures by `category` and
    tells them apart by `labels`. A figure is drawn if the plan has all that it `needs`. With `each`, the name of a
    wildcard, there is one picture for each value, `figures/<name>.{<each>}.png`. `params` are further arguments, whose
    values rules/figures.smk has. A `scored` figure may read transcripts and files made from them.
    """

    name: str
    call: str
    inputs: Mapping[str, str]
    category: str
    labels: Mapping[str, str]
    needs: Collection[str] = ()
    each: str = ""
    params: Sequence[str] = ()
    scored: bool = False

    @property
    def rule(self) -> str:
        """Name of the rule that draws it."""
        return f"{self.name}_figure"

    @property
    def stem(self) -> str:
        """Name of its picture, log and benchmark without suffix."""
        return f"{self.name}.{{{self.each}}}" if self.each else self.name

    @property
    def title(self) -> str:
        """Its heading on the page of the run."""
        text = self.labels.get("figure", self.category)
        return text[0].upper() + text[1:]

    @property
    def output(self) -> str:
        """Path of its picture."""
        return f"<results>/figures/{self.stem}.png"


FIGURES = (
    ReportFigure(
        name="verdict",
        call="figures.verdict:verdict_figure",
        inputs={"verdict": "<results>/verdict.json"},
        category="Verdict",
        labels={"figure": "has it learned?"},
    ),
    ReportFigure(
        name="utterance",
        call="figures.utterance:utterance_figure",
        inputs={
            "manifest": "<results>/manifest/test.parquet",
            "vad": "<results>/vad/test.parquet",
            "boundaries": "<results>/segment/test.boundaries.parquet",
            "decoded": "<results>/decode/test.parquet",
            "references": "<results>/references/{transcribed}.parquet",
        },
        category="Utterances",
        labels={"utterance": "{index}"},
        each="index",
        params=("settings", "sample_rate_hz", "hop_ms"),
        scored=True,
    ),
    ReportFigure(
        name="rounds",
        call="figures.rounds:rounds_figure",
        inputs={
            "rounds": "<results>/evaluate/rounds.parquet",
            "restarts": "<results>/match/{place}/objectives.parquet",
        },
        category="Learning",
        labels={"figure": "objective, discrepancy and PER per round"},
        scored=True,
    ),
    ReportFigure(
        name="gan",
        call="figures.gan:gan_figure",
        inputs={"curves": "<results>/gan/job{job}/curves.parquet", "candidates": "<results>/select/candidates.parquet"},
        category="Learning",
        labels={"figure": "training of the GAN"},
        needs=("gan",),
    ),
    ReportFigure(
        name="teacher",
        call="figures.teacher:teacher_figure",
        inputs={
            "curves": "<results>/teacher/curves.parquet",
            "adaptation": "<results>/teacher/adaptation.parquet",
        },
        category="Learning",
        labels={"figure": "the teacher"},
        needs=("teacher",),
    ),
    ReportFigure(
        name="pretrain",
        call="figures.pretrain:pretrain_figure",
        inputs={"curves": "<results>/pretrain/curves.parquet"},
        category="Learning",
        labels={"figure": "pretraining of the speech encoder"},
        needs=("pretrain",),
    ),
    ReportFigure(
        name="codebook",
        call="figures.codebook:codebook_figure",
        inputs={"usage": "<results>/pretrain/codebook.parquet"},
        category="Learning",
        labels={"figure": "codes of the languages"},
        needs=("pretrain", "codebook"),
    ),
    ReportFigure(
        name="select",
        call="figures.select:select_figure",
        inputs={"scored": "<results>/evaluate/candidates.parquet"},
        category="Learning",
        labels={"figure": "choice among the candidates"},
        scored=True,
    ),
    ReportFigure(
        name="diagnose",
        call="figures.diagnose:diagnose_figure",
        inputs={"table": "<results>/evaluate/diagnose.parquet"},
        category="Learning",
        labels={"figure": "is the mapping identifiable?"},
        needs=("diagnose",),
        scored=True,
    ),
    ReportFigure(
        name="hmm",
        call="figures.hmm:hmm_figure",
        inputs={"metrics": "<results>/metrics.json"},
        category="Learning",
        labels={"figure": "PER after HMM self-training"},
        scored=True,
    ),
    ReportFigure(
        name="confusions",
        call="figures.confusions:confusions_figure",
        inputs={"confusions": "<results>/evaluate/hmm_confusions.parquet"},
        category="Errors",
        labels={"figure": "phone confusions"},
        scored=True,
    ),
    ReportFigure(
        name="words",
        call="figures.words:words_figure",
        inputs={"word_errors": "<results>/evaluate/word_errors.parquet"},
        category="Errors",
        labels={"figure": "word errors"},
        scored=True,
    ),
    ReportFigure(
        name="seconds",
        call="figures.seconds:seconds_figure",
        inputs={"metrics": "<results>/metrics.json"},
        category="Resources",
        labels={"figure": "where the seconds went"},
        scored=True,
    ),
)
