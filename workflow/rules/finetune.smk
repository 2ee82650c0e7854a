"""Recognisers from few labels or pseudo-labels: a checkpoint fine-tuned with CTC. `snakemake finetune` makes them.

Of these rules only finetune_labels and the evaluation read references; the pseudo-labels come from decoded words, and
models trained on them meet references only in their scores.
"""


rule finetune_labels:
    input:
        references=plan.corpus.references("{split}"),
        manifest="<results>/manifest/{split}.parquet",
        vad="<results>/vad/{split}.parquet",
    output:
        subset="<results>/finetune/{labels}/labels/{split}.parquet",
    log:
        "<logs>/finetune/{labels}/labels.{split}.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/finetune_labels.{split}.tsv"
    wildcard_constraints:
        labels="|".join(HOURS),
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        call="ctc.labels:few_labels",
        hours=few_hours,
        seed=config["corpus"]["seed"],
        units=config["finetune"]["units"],
        language=config["corpus"]["language"],
    script:
        "../scripts/call.py"


use rule pseudo_labels_split as finetune_pseudo_labels with:
    input:
        words=round_words,
        manifest="<results>/manifest/{split}.parquet",
        vad="<results>/vad/{split}.parquet",
    output:
        labels="<results>/finetune/pseudo{round}/labels/{split}.parquet",
    log:
        "<logs>/finetune/pseudo{round}/labels.{split}.log",
    benchmark:
        "<benchmarks>/finetune/pseudo{round}/finetune_pseudo_labels.{split}.tsv"


rule finetune_vocab:
    input:
        train_labels=plan.finetune.files("finetune/{labels}/labels/train.parquet"),
        phones=plan.finetune.inventories,
    output:
        vocab="<results>/finetune/{labels}/labels/vocab.json",
    log:
        "<logs>/finetune/{labels}/vocab.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/finetune_vocab.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="30m",
    params:
        call="ctc.labels:finetune_vocab",
        units=config["finetune"]["units"],
    script:
        "../scripts/call.py"


rule finetune_train:
    input:
        checkpoint=plan.finetune.checkpoint.files,
        train_labels=plan.finetune.files("finetune/{labels}/labels/train.parquet"),
        manifests=plan.finetune.files("manifest/train.parquet"),
        vads=plan.finetune.files("vad/train.parquet"),
        valid_labels=plan.finetune.files("finetune/{labels}/labels/valid.parquet"),
        valid_manifests=plan.finetune.files("manifest/valid.parquet"),
        valid_vads=plan.finetune.files("vad/valid.parquet"),
        vocab="<results>/finetune/{labels}/labels/vocab.json",
    output:
        model=directory("<results>/finetune/{labels}/model"),
        curves="<results>/finetune/{labels}/curves.parquet",
    log:
        "<logs>/finetune/{labels}/finetune.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/finetune_train.tsv"
    conda:
        environment(config["finetune"]["device"])
    threads: 2
    resources:
        mem_mb=8000,
        runtime="24h",
        gpu=int(config["finetune"]["device"] == "cuda"),
    params:
        call="ctc.finetune:finetune",
        settings=section("finetune"),
        checkpoint=plan.finetune.checkpoint.name,  # its files are an input so that new weights cause a rerun
        units=config["finetune"]["units"],
        sample_rate_hz=RATE,
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule ctc_log_probs:
    input:
        model="<results>/finetune/{labels}/model",
        manifest="<results>/manifest/{split}.parquet",
        vad="<results>/vad/{split}.parquet",
    output:
        log_probs="<results>/finetune/{labels}/log_probs/{split}.npy",
        index="<results>/finetune/{labels}/log_probs/{split}.parquet",
    log:
        "<logs>/finetune/{labels}/log_probs.{split}.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/ctc_log_probs.{split}.tsv"
    conda:
        environment(config["finetune"]["device"])
    threads: 2
    resources:
        mem_mb=8000,
        runtime="24h",
        gpu=int(config["finetune"]["device"] == "cuda"),
    params:
        call="ctc.posteriors:ctc_log_probs",
        settings=section("finetune"),
        units=config["finetune"]["units"],
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


rule ctc_greedy:
    input:
        log_probs="<results>/finetune/{labels}/log_probs/{split}.npy",
        index="<results>/finetune/{labels}/log_probs/{split}.parquet",
    output:
        words="<results>/finetune/{labels}/none/{split}.parquet",
    log:
        "<logs>/finetune/{labels}/none.{split}.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/ctc_greedy.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime="1h",
    params:
        call="ctc.posteriors:ctc_greedy",
    script:
        "../scripts/call.py"


use rule evaluate_words as finetune_evaluate_words with:
    input:
        words=expand("<results>/finetune/{{labels}}/{{decoder}}/{split}.parquet", split=EVALUATED),
        references=plan.corpus.references(*EVALUATED),
        manifests=expand("<results>/manifest/{split}.parquet", split=EVALUATED),
        vad="<results>/vad/test.parquet",
        lexicon="<results>/lexicon/lexicon.txt",
        sentences="<results>/phonemize/sentences.parquet",
    output:
        metrics="<results>/finetune/{labels}/evaluate/{decoder}.json",
        word_errors="<results>/finetune/{labels}/evaluate/{decoder}.word_errors.parquet",
        utterances="<results>/finetune/{labels}/evaluate/{decoder}.utterances.parquet",
    log:
        "<logs>/finetune/{labels}/evaluate.{decoder}.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/finetune_evaluate_words.{decoder}.tsv"
    params:
        settings=section("evaluate"),
        language=config["corpus"]["language"],
        hop_ms=plan.finetune.hop_ms,
        sample_rate_hz=RATE,


rule finetune_recogniser:
    input:
        model="<results>/finetune/{labels}/model",
        graph="<results>/finetune/{labels}/ngram/graph.safetensors",
        weights="<results>/finetune/{labels}/ngram/weights.json",
        lexiconp="<results>/lexicon/lexiconp.txt",
        word_symbols="<results>/word_lm/words.txt",
        verdict=plan.finetune.verdict,
    output:
        recogniser=directory("<results>/finetune/{labels}/recogniser"),
    log:
        "<logs>/finetune/{labels}/recogniser.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/finetune_recogniser.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="30m",
    params:
        call="recogniser.folder:ctc_recogniser",
        corpus={key: config["corpus"][key] for key in ("name", "language")},
        sample_rate_hz=RATE,
        vad=section("vad"),
        search=section("ctc"),
        nbest=section("ctc"),
    script:
        "../scripts/call.py"
