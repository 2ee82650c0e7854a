"""Unscribed: speech recognition learned from untranscribed audio and unrelated text.

The rules are included in the order of the stages; a rule names the function that it calls in its `params`. Usually
the target, the section of the configuration and the folder of results of a stage have the same name.
"""

from os.path import exists

from snakemake.utils import min_version

min_version("9.19")


# That of the folder in which the run is started; without one, the project's.
CONFIG = "config/config.yaml"


configfile: CONFIG if exists(CONFIG) else f"{workflow.basedir}/{CONFIG}"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


# All files of a corpus are in one folder; the rules' paths begin with <results>, <logs> or <benchmarks>.
pathvars:
    results=plan.corpus.results,
    logs=f"{plan.corpus.results}/logs",
    benchmarks=f"{plan.corpus.results}/benchmarks",


include: "workflow/rules/corpus.smk"
include: "workflow/rules/audio.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/segmentation.smk"
include: "workflow/rules/text.smk"
include: "workflow/rules/matching.smk"
include: "workflow/rules/teacher.smk"
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
        "<results>/recogniser",
        "<results>/report.html",


# A target makes a stage for all its splits, seeds and rounds; `snakemake segment --forcerun segment` reruns it.
include: "workflow/rules/targets.smk"


# Each rule's function decides which source files and which keys of the configuration the rule depends on.
link(workflow)


onsuccess:
    show_summary(plan.corpus.results)


onerror:
    repeat_errors(log)
