"""Outputs for other tools: times of phones and words, TextGrids, pseudo-labels, and the recogniser of new files."""


rule ctm_split:
    input:
        words="<results>/words/{split}.parquet",
        vad="<results>/vad/{split}.parquet",
        cuts=plan.corpus.cuts,
    output:
        phones_ctm="<results>/ctm/{split}.phones.parquet",
        words_ctm="<results>/ctm/{split}.words.parquet",
    log:
        "<logs>/ctm.{split}.log",
    benchmark:
        "<benchmarks>/ctm.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
    params:
        call="outputs.ctm:ctm",
        hop_ms=HOP_MS,
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


rule textgrid_split:
    input:
        phones_ctm="<results>/ctm/{split}.phones.parquet",
        words_ctm="<results>/ctm/{split}.words.parquet",
        vad="<results>/vad/{split}.parquet",
        cuts=plan.corpus.cuts,
        verdict="<results>/verdict.json",
    output:
        folder=directory("<results>/textgrid/{split}"),
    log:
        "<logs>/textgrid.{split}.log",
    benchmark:
        "<benchmarks>/textgrid.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
    params:
        call="outputs.textgrid:textgrid",
        unlearned=config["outputs"]["unlearned"],
    script:
        "../scripts/call.py"


rule pseudo_labels_split:
    input:
        words="<results>/words/{split}.parquet",
        manifest="<results>/manifest/{split}.parquet",
        vad="<results>/vad/{split}.parquet",
        verdict="<results>/verdict.json",
    output:
        labels="<results>/pseudo_labels/{split}.parquet",
    log:
        "<logs>/pseudo_labels.{split}.log",
    benchmark:
        "<benchmarks>/pseudo_labels.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
    params:
        call="outputs.pseudo_labels:pseudo_labels",
        unlearned=config["outputs"]["unlearned"],
    script:
        "../scripts/call.py"


rule vocabulary:
    input:
        labels="<results>/pseudo_labels/train.parquet",
    output:
        vocab="<results>/pseudo_labels/vocab.json",
    log:
        "<logs>/pseudo_labels.vocab.log",
    benchmark:
        "<benchmarks>/pseudo_labels.vocab.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="30m",
    params:
        call="outputs.pseudo_labels:vocabulary",
    script:
        "../scripts/call.py"


rule recogniser:
    input:
        model="<results>/hmm/final/model.safetensors",
        graph="<results>/hmm/final/words/graph.safetensors",
        weights="<results>/hmm/final/words/weights.json",
        lexiconp="<results>/lexicon/lexiconp.txt",
        word_symbols="<results>/word_lm/words.txt",
        pca=plan.hmm.projection,
        verdict="<results>/verdict.json",
    output:
        recogniser=directory("<results>/recogniser"),
    log:
        "<logs>/recogniser.log",
    benchmark:
        "<benchmarks>/recogniser.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="30m",
    params:
        call="recogniser.folder:recogniser",
        checkpoint=plan.features.recogniser_checkpoint,
        corpus={key: config["corpus"][key] for key in ("name", "language")},
        sample_rate_hz=RATE,
        vad=section("vad"),
        features=section("features"),
        search=section("hmm"),
        nbest=section("words"),
    script:
        "../scripts/call.py"
