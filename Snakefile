"""Unscribed: from untranscribed audio and unrelated text to phones, without a label.

Stages in their order; a stage's rule, script, module, config section and results folder bear one name.
"""

from snakemake.utils import min_version

min_version("9.19")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


# All files of a corpus lie in one folder: rules write <results>, <logs> and <benchmarks>.
pathvars:
    results=plan.corpus.results,
    logs=f"{plan.corpus.results}/logs",
    benchmarks=f"{plan.corpus.results}/benchmarks",


include: "workflow/rules/corpus.smk"
include: "workflow/rules/audio.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/units.smk"
include: "workflow/rules/text.smk"
include: "workflow/rules/matching.smk"
include: "workflow/rules/gan.smk"
include: "workflow/rules/select.smk"
include: "workflow/rules/hmm.smk"
include: "workflow/rules/outputs.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/supervised.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/ctc.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        "<results>/metrics.json",
        plan.figures.drawn,
        PSEUDO_LABELS,
        "<results>/ctm/test.phones.parquet",
        "<results>/ctm/test.words.parquet",
        "<results>/textgrid/test",


# Targets: a stage for all its splits, seeds and rounds. `snakemake segment --forcerun segment` runs one again.
include: "workflow/rules/targets.smk"


# Each rule's function says which sources and which keys of the configuration it depends on.
link(workflow)
