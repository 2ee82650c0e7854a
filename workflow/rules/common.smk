"""The configuration, checked and completed, and the names that all rules share."""

import os
import re
import sys
from pathlib import Path

# Threads that wait by spinning steal the cores from other jobs: where those are busy, training got 3 to 5 times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from unscribed.calls import takes
from unscribed.config.checks import PRETRAIN, check, hop_ms
from unscribed.config.kinds import KINDS
from unscribed.config.schema import complete
from unscribed.errors import UserError
from unscribed.gan.runs import all_runs, run_label
from unscribed.plan.snakemake_hooks import Section, force, link

try:
    config = complete(config, Path(workflow.basedir) / "workflow/schemas/config.schema.yaml")
    # The sizes that come with the workflow are found from any working directory.
    shipped = Path(workflow.basedir) / config["pretrain"]["model"]
    if shipped.is_file() and not Path(config["pretrain"]["model"]).is_file():
        config["pretrain"]["model"] = str(shipped)
    check(config)
except UserError as error:
    sys.exit(f"error: {error}")  # an exception would bring lines of this file with it

CORPUS = config["corpus"]["name"]
KIND = config["corpus"]["kind"]
RESULTS = f"results/{CORPUS}"
BENCHMARKS = f"{RESULTS}/benchmarks"
SPLITS = ["train", "valid", "test"]
SEEDS = config["match"]["seeds"]
ROUNDS = config["match"]["rounds"]
ROUND_PLACES = expand("seed{seed}/round{round}", seed=SEEDS, round=range(1, ROUNDS + 1))
PHONE_LM_ORDERS = config["phone_lm"]["orders"]
PHONE_LM = f"<results>/phone_lm/{PHONE_LM_ORDERS[0]}gram.arpa"  # for acoustic model, resegmentation and beam search
SELECTION_LM = f"<results>/phone_lm/{config['hmm']['lm_order']}gram.arpa"  # longer contexts tell good phones from bad
GAN_MOMENTS = ["start", "best", "last"]  # of a run: its start, its best check by the label-free score, its end
GAN_RUNS = all_runs(config["gan"])
GAN_ON_SEGMENTS = config["gan"]["input"] != "frames"
GAN_INPUT = {"segments": "<results>/segment", "decoded": "<results>/gan/segments", "frames": "<results>/pca"}[
    config["gan"]["input"]
]
RATE = config["audio"]["sample_rate_hz"]
HOP_MS = hop_ms(config)
WAV2VEC = config["features"]["kind"] == "wav2vec"
SHARDS = config["features"]["shards"] if WAV2VEC else 1
PRETRAINED = f"{RESULTS}/pretrain/model"
CHECKPOINT = config["features"]["checkpoint"]
CHECKPOINT = PRETRAINED if CHECKPOINT == PRETRAIN else CHECKPOINT
PRETRAIN_CLUSTERS = config["pretrain"]["objective"] == "clusters"
PRETRAIN_CODEBOOK = config["pretrain"]["languages"] and not PRETRAIN_CLUSTERS
PRETRAIN_FIGURES = ["pretrain", *(["codebook"] if PRETRAIN_CODEBOOK else [])]
FEATURE_RULES = ["features_split"] + (["features_shard"] if SHARDS > 1 else [])
CYCLES = range(1, config["hmm"]["cycles"] + 1)
LEARNED_SPLITS = ["train", "valid"]  # of the fine-tuning
PSEUDO_LABELS = expand("<results>/pseudo_labels/{split}.parquet", split=LEARNED_SPLITS)
PSEUDO_LABELS += ["<results>/pseudo_labels/vocab.json"]
FEW_LABELS_HOURS = {"10min": 1 / 6, "1h": 1.0, "10h": 10.0, "all": None}  # of transcribed speech
FINETUNED = [name for name in config["finetune"]["labels"] if name in FEW_LABELS_HOURS]
if "pseudo" in config["finetune"]["labels"]:
    FINETUNED += [f"pseudo{number}" for number in range(1, config["finetune"]["rounds"] + 1)]
FINETUNE_DECODERS = ["none", "ngram", "transformer"]  # which language model helps
FINETUNE_CHECKPOINT = config["finetune"]["checkpoint"] or config["features"]["checkpoint"]
FINETUNE_HOP_MS = hop_ms(
    {**config, "features": {**config["features"], "kind": "wav2vec", "checkpoint": FINETUNE_CHECKPOINT}}
)
FINETUNE_CHECKPOINT = PRETRAINED if FINETUNE_CHECKPOINT == PRETRAIN else FINETUNE_CHECKPOINT
FINETUNE_PLACES = ["<results>", *(audio["results"] for audio in config["finetune"]["languages"])]


wildcard_constraints:
    split="|".join(SPLITS),
    seed=r"\d+",
    round=r"[1-9]\d*",
    job=r"\d+",
    run=r"\d+",
    moment="|".join(GAN_MOMENTS),
    index=r"\d+",
    order=r"[3-6]",
    shard=r"\d+",
    labels="|".join([*FEW_LABELS_HOURS, r"pseudo[1-9]\d*"]),
    decoder="|".join(FINETUNE_DECODERS),


def section(name, **changes):
    """A config section for a rule, which gets the keys that its function takes: the others do not run it again."""
    return Section({**config[name], **changes})


def checkpoint_files(checkpoint=CHECKPOINT):
    """What a checkpoint is made of: other weights run its stages again. Of the hub's, the name must do."""
    if checkpoint == PRETRAINED:
        return ["<results>/pretrain/model"]
    names = ["config.json", "model.safetensors", "model.safetensors.index.json", "preprocessor_config.json"]
    paths = [Path(checkpoint).expanduser() / name for name in names]
    return [str(path) for path in paths if path.is_file()]


def corpus_settings():
    """The config section of this kind of corpus."""
    return config["corpus"][KINDS[KIND].section]


def untranscribed(settings):
    """The same without the transcripts, which only the references come from: to add some later runs nothing else."""
    return {**settings, "transcripts": ""} if "transcripts" in settings else settings


def has_references():
    """Whether this corpus has transcripts to score against."""
    return KIND != "folder" or bool(config["corpus"]["folder"]["transcripts"])


def references(*splits):
    """Transcripts, for the evaluation only; an empty list if the corpus has none."""
    return expand("<results>/references/{split}.parquet", split=splits) if has_references() else []


def figures():
    """All figures of the report."""
    names = ["rounds", "select", "confusions", "hmm", "words", "seconds"]
    names += ["gan"] if GAN_RUNS else []
    names += PRETRAIN_FIGURES if PRETRAINED in (CHECKPOINT, FINETUNE_CHECKPOINT) else []
    names += [f"utterance.{index}" for index in range(config["report"]["utterances"])]
    return expand("<results>/figures/{name}.png", name=names)


def step_decodes(root, cycles, split):
    """The phones of one split after each step of self-training below `root`, the result last."""
    steps = config["hmm"]["steps"][:-1]
    return [
        f"<results>/{root}/cycle{cycle}/step{step}/{kind['labels']}/{split}.parquet"
        for cycle in cycles
        for step, kind in enumerate(steps, start=1)
    ] + [f"<results>/{root}/final/phones/{split}.parquet"]


def mapping_labels(cycle):
    """Phones of the mapping that a cycle starts from, with a {split}."""
    return "<results>/decode/{split}.parquet" if cycle == 1 else f"<results>/hmm/cycle{cycle}/mapping/{{split}}.parquet"


def step_labels(wildcards):
    """The labels that a step of self-training learns from: the mapping's, then those of the step before."""
    cycle, step = int(wildcards.cycle), int(wildcards.step)
    if step == 1:
        return mapping_labels(cycle).format(split="train")
    lm = config["hmm"]["steps"][step - 2]["labels"]
    return f"<results>/hmm/cycle{cycle}/step{step - 1}/{lm}/train.parquet"


def place_labels(wildcards):
    """Phones of the validation audio: the mapping's, from which decoding must not go too far, or the transcripts'."""
    if wildcards.place.startswith("supervised"):
        return "<results>/supervised/labels/valid.parquet"
    found = re.search(r"cycle(\d+)", wildcards.place)
    return mapping_labels(int(found[1]) if found else 1).format(split="valid")


def text_of(wildcards):
    """The folder with the lexicon and the language models of a place."""
    return "<results>/supervised" if wildcards.place.startswith("supervised") else "<results>"


def cycle_before(name):
    """A file of the segments of the cycle before."""
    return lambda wildcards: f"<results>/hmm/cycle{int(wildcards.cycle) - 1}/segments/{name}"


def supervised_step_labels(wildcards):
    """A flat start from the transcripts, then the alignments of the step before."""
    step = int(wildcards.step)
    return f"<results>/supervised/{'labels' if step == 1 else f'step{step - 1}/aligned'}/train.parquet"


def run_job(run):
    """The job that trains a run of the GAN."""
    return run // config["gan"]["runs_per_job"]


def job_runs(wildcards):
    """The numbers of the runs that a job of the GAN trains side by side."""
    return [run for run in range(len(GAN_RUNS)) if run_job(run) == int(wildcards.job)]


def gan_match(split):
    """The matching's phones of a split that the GAN takes its segments or the labels of a warm start from."""
    return f"<results>/decode/seed{SEEDS[0]}/round{config['gan']['match_round']}/{split}.parquet"


def candidates():
    """All that the selection chooses from: the rounds of the matching, the best moments of the GAN's runs."""
    rounds = [
        {
            "name": f"match {place}",
            "kind": "match",
            "hypotheses": f"<results>/decode/{place}/{{split}}.parquet",
            "model": f"<results>/acoustic/{place}/model.safetensors",
        }
        for place in ROUND_PLACES
    ]
    runs = [
        {
            "name": run_label(run),
            "kind": "gan",
            "hypotheses": f"<results>/gan/run{number}/best/{{split}}.phones.parquet",
            "model": f"<results>/gan/job{run_job(number)}/best.safetensors",
        }
        for number, run in enumerate(GAN_RUNS)
    ]
    return rounds + runs


def hypotheses(split):
    """The phones of one split by each of the CANDIDATES, in their order."""
    return [found["hypotheses"].format(split=split) for found in CANDIDATES]


def gan_phones(moments, splits):
    """What all runs of the GAN say at some moments; an empty list without a GAN."""
    return expand(
        "<results>/gan/run{run}/{moment}/{split}.phones.parquet",
        run=range(len(GAN_RUNS)),
        moment=moments,
        split=splits,
    )


def gan_curves():
    """The curves of all jobs of the GAN."""
    jobs = sorted({run_job(run) for run in range(len(GAN_RUNS))})
    return expand("<results>/gan/job{job}/curves.parquet", job=jobs)


def before(wildcards, first, later):
    """`first` in round 1, else `later` with {seed} and {round} of the round before."""
    number = int(wildcards.round)
    return first if number == 1 else later.format(seed=wildcards.seed, round=number - 1)


def finetune_words(wildcards):
    """The decoded words that a round of pseudo-labels comes from: the HMM's, then those of the round before."""
    number = int(wildcards.round)
    if number == 1:
        return "<results>/words/{split}.parquet"
    return f"<results>/finetune/pseudo{number - 1}/ngram/{{split}}.parquet"


def few_hours(wildcards):
    """How much transcribed speech a model learns from; the split valid has all of its own."""
    return FEW_LABELS_HOURS[wildcards.labels] if wildcards.split == "train" else None


def valid_transcripts(wildcards):
    """Transcripts of the split valid, by which decoding is tuned; none if the model has only seen pseudo-labels."""
    labels = wildcards.labels
    return [] if labels.startswith("pseudo") else f"<results>/finetune/{labels}/labels/valid.parquet"


def valid_pseudo_labels(wildcards):
    """Pseudo-labels of the split valid, which decoding must not go too far from; none if there are transcripts."""
    labels = wildcards.labels
    return f"<results>/finetune/{labels}/labels/valid.parquet" if labels.startswith("pseudo") else []


GAN_LABELS = gan_match("train") if any(run["start"] == "match" for run in GAN_RUNS) else []
CANDIDATES = candidates()
PRETRAIN_PLACES = ["<results>", *(audio["results"] for audio in config["pretrain"]["languages"])]
PRETRAIN_LANGUAGES = [
    config["corpus"]["language"],
    *(audio["language"] for audio in config["pretrain"]["languages"]),
]
