"""Learned features and fine-tuning: pretraining and pseudo-labels know no reference, few labels stay where they are."""

import copy

import pytest
from test_firewall import WITH_REFERENCES, check_sides, data, knowing  # noqa: F401 (a fixture)
from workflow_runs import EVALUATION, REPO, SPLITS, STAGES, graph, write_config

TARGETS = ["all", "figures", *STAGES, "pretrain", "finetune"]
OWN = {**WITH_REFERENCES["folder"], "pretrain": {"model": str(REPO / "config/models/tiny.yaml")}}
FINETUNE = {"labels": ["10min", "all", "pseudo"], "rounds": 2}
FEW = ["10min", "all"]  # models that learn from transcripts
PSEUDO = ["pseudo1", "pseudo2"]
MODELS = {
    "of the hub": {"finetune": {**FINETUNE, "checkpoint": "some/model"}},
    "of this corpus": {
        "features": {"kind": "wav2vec", "checkpoint": "pretrain", "layer": 2, "shards": 2},
        "finetune": FINETUNE,
    },
    "that names clusters": {
        "features": {"kind": "wav2vec", "checkpoint": "pretrain", "layer": 2, "shards": 2},
        "pretrain": {**OWN["pretrain"], "objective": "clusters"},
        "finetune": FINETUNE,
    },
}
# Ways in which labels could get where they should not: a rule, and what it reads then.
LEAKS = {
    "a model of few labels as features": ("features_split", "results/a/finetune/all/model"),
    "transcripts in the pretraining": ("pretrain_model", "results/a/references/train.parquet"),
    "a subset of the transcripts in the pretraining": (
        "pretrain_model",
        "results/a/finetune/10min/labels/train.parquet",
    ),
    "weights tuned on transcripts": ("ctc_ngram", "results/a/finetune/10min/ngram/weights.json"),
    "transcripts of valid in the tuning": ("ctc_tune", "results/a/finetune/all/labels/valid.parquet"),
}


@pytest.fixture(scope="module", params=MODELS)
def jobs(request, data):  # noqa: F811
    write_config(data, {**OWN, **MODELS[request.param]})
    return graph(data, *TARGETS)


def few(name):
    """Whether a file belongs to a model that learns from transcripts."""
    return any(f"/finetune/{labels}/" in name for labels in FEW)


def check_finetuning(jobs):
    """Fail if anything but references, few-label models and scores could know a reference."""
    scored = EVALUATION | {"finetune_evaluate_words"}
    scores = {name for job in jobs if job["rule"] in scored for name in [*job["output"], *job["log"], job["benchmark"]]}
    told = {name for name in knowing(jobs) if "/references/" not in name and not few(name)}
    assert told <= scores, sorted(told - scores)
    check_sides(jobs)


def test_only_few_labels_and_scores_come_from_references(jobs):
    check_finetuning(jobs)
    made = {name for job in jobs for name in job["output"]}
    told = knowing(jobs)
    results = "results/a"
    blind = [f"{results}/{stage}/{split}.npy" for stage in ("features", "segment") for split in SPLITS]
    blind += [f"{results}/decode/test.parquet", f"{results}/words/train.parquet", f"{results}/transformer_lm/model"]
    for labels in PSEUDO:
        place = f"{results}/finetune/{labels}"
        blind += [f"{place}/labels/{split}.parquet" for split in ("train", "valid")]
        blind += [f"{place}/model", f"{place}/log_probs/test.npy", f"{place}/ngram/weights.json"]
        blind += [f"{place}/{decoder}/test.parquet" for decoder in ("none", "ngram", "transformer")]
    assert made >= set(blind) and told.isdisjoint(blind)
    taught = [f"{results}/finetune/{labels}/{file}" for labels in FEW for file in ("labels/train.parquet", "model")]
    assert made >= set(taught) and told >= set(taught)  # the walk does follow references


def test_the_chosen_candidate_reaches_fine_tuning_by_way_of_the_hmms(data):  # noqa: F811
    """With the teacher among the candidates and no other setting: teacher, select, HMMs, words, pseudo-labels, CTC."""
    write_config(data, {**OWN, "teacher": {"candidate": True}, "finetune": {"labels": ["pseudo"], "checkpoint": "a/b"}})
    jobs = graph(data, "finetune")
    chain = {
        "teacher_decode": "results/a/teacher/decode/train.parquet",
        "decode_split": "results/a/decode/train.parquet",
        "hmm_select": "results/a/hmm/final/model.safetensors",
        "words_split": "results/a/words/train.parquet",
        "finetune_pseudo_labels": "results/a/finetune/pseudo1/labels/train.parquet",
        "finetune_train": "results/a/finetune/pseudo1/model",
    }
    told, before = {chain["teacher_decode"]}, 0
    while before < len(told):
        before = len(told)
        told.update(*(job["output"] for job in jobs if not told.isdisjoint(job["input"])))
    made = {name: job["rule"] for job in jobs for name in job["output"]}
    assert set(chain.values()) <= told and [made[name] for name in chain.values()] == list(chain)
    (labelling,) = [job for job in jobs if chain["finetune_pseudo_labels"] in job["output"]]
    assert chain["words_split"] in labelling["input"]


def test_pretraining_listens_to_audio_alone(jobs):
    heard = {f"results/a/{stage}/{split}.parquet" for stage in ("manifest", "vad") for split in SPLITS[:2]}
    targets = {"results/a/pretrain/targets.safetensors"}
    (pretraining,) = [job for job in jobs if job["rule"] == "pretrain_model"]
    clustering = [job for job in jobs if job["rule"] == "pretrain_targets"]
    read = {name for name in pretraining["input"] if name.startswith("results/")}
    assert read == heard | (targets if clustering else set())
    for job in clustering:
        assert {name for name in job["input"] if name.startswith("results/")} <= heard


def test_few_labels_stay_below_their_own_folder(jobs):
    for job in jobs:
        for labels in FEW:
            told = [name for name in job["input"] if f"/finetune/{labels}/" in name]
            inside = all(f"/finetune/{labels}/" in name for name in job["output"])
            assert not told or inside or job["rule"] == "finetune", job["rule"]


@pytest.mark.parametrize("way", LEAKS)
def test_a_leak_is_found(jobs, way):
    """The test of the test, on a copy of the graph in which a job that should know nothing reads what it should not."""
    rule, leak = LEAKS[way]
    changed = copy.deepcopy(jobs)
    blind = [job for job in changed if job["rule"] == rule and not any(few(name) for name in job["output"])]
    blind[0]["input"].append(leak)
    with pytest.raises(AssertionError):
        check_finetuning(changed)


def test_nothing_is_fine_tuned_or_pretrained_unless_asked(data):  # noqa: F811
    write_config(data, OWN)
    learned = [job["rule"] for job in graph(data, "all", "figures", *STAGES, "finetune")]
    assert not [rule for rule in learned if rule.startswith(("finetune_", "pretrain", "ctc_", "transformer_lm"))]
