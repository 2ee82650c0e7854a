"""Evaluation and figures: the only rules that read references."""

EVALUATED = ["valid", "test"]


rule evaluate:
    input:
        code=code(
            "evaluation/metrics", "evaluation/labels", "evaluation/per", "evaluation/boundaries", "evaluation/tables"
        ),
        decoded=expand("<results>/decode/{split}.parquet", split=EVALUATED),
        references=references(*EVALUATED),
        round_decodes=expand("<results>/decode/{place}/test.parquet", place=ROUND_PLACES),
        round_losses=expand("<results>/resegment/{place}/loss.json", place=ROUND_PLACES),
        selection="<results>/select/selection.json",
        phones="<results>/phonemize/phones.txt",
        boundaries="<results>/segment/test.boundaries.parquet",
        vad="<results>/vad/test.parquet",
        manifests=expand("<results>/manifest/{split}.parquet", split=SPLITS),
        rejected=expand("<results>/manifest/{split}.rejected.parquet", split=SPLITS),
        text="<results>/corpus/text.txt",
        sentences="<results>/phonemize/sentences.parquet",
        lexicon="<results>/lexicon/lexicon.txt",
    output:
        metrics="<results>/metrics.json",
        confusions="<results>/evaluate/confusions.parquet",
        utterances="<results>/evaluate/utterances.parquet",
        rounds="<results>/evaluate/rounds.parquet",
    log:
        "<logs>/evaluate.log",
    benchmark:
        "<benchmarks>/evaluate.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        settings=config["evaluate"],
        hop_ms=config["features"]["hop_ms"],
        sample_rate_hz=RATE,
        benchmarks=BENCHMARKS,
    script:
        "../scripts/evaluate.py"


rule utterance_figure:
    input:
        code=code("evaluation/figures_utterance", "evaluation/spectrogram", "evaluation/style"),
        manifest="<results>/manifest/test.parquet",
        vad="<results>/vad/test.parquet",
        boundaries="<results>/segment/test.boundaries.parquet",
        decoded="<results>/decode/test.parquet",
        references=references("test"),
    output:
        figure=report(
            "<results>/figures/utterance.{index}.png",
            category="Utterances",
            caption="../report/utterance.rst",
            labels={"utterance": "{index}"},
        ),
    log:
        "<logs>/figures.utterance.{index}.log",
    benchmark:
        "<benchmarks>/figures.utterance.{index}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        settings=config["report"],
        sample_rate_hz=RATE,
        hop_ms=config["features"]["hop_ms"],
    script:
        "../scripts/utterance_figure.py"


rule rounds_figure:
    input:
        code=code("evaluation/figures", "evaluation/style"),
        rounds="<results>/evaluate/rounds.parquet",
        restarts=expand("<results>/match/{place}/losses.parquet", place=ROUND_PLACES),
    output:
        figure=report(
            "<results>/figures/rounds.png",
            category="Learning",
            caption="../report/rounds.rst",
            labels={"figure": "loss and PER per round"},
        ),
    log:
        "<logs>/figures.rounds.log",
    benchmark:
        "<benchmarks>/figures.rounds.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    script:
        "../scripts/rounds_figure.py"


rule confusions_figure:
    input:
        code=code("evaluation/figures", "evaluation/style"),
        confusions="<results>/evaluate/confusions.parquet",
    output:
        figure=report(
            "<results>/figures/confusions.png",
            category="Errors",
            caption="../report/confusions.rst",
            labels={"figure": "phone confusions"},
        ),
    log:
        "<logs>/figures.confusions.log",
    benchmark:
        "<benchmarks>/figures.confusions.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    script:
        "../scripts/confusions_figure.py"


rule seconds_figure:
    input:
        code=code("evaluation/figures", "evaluation/style"),
        metrics="<results>/metrics.json",
    output:
        figure=report(
            "<results>/figures/seconds.png",
            category="Resources",
            caption="../report/seconds.rst",
            labels={"figure": "where the seconds went"},
        ),
    log:
        "<logs>/figures.seconds.log",
    benchmark:
        "<benchmarks>/figures.seconds.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    script:
        "../scripts/seconds_figure.py"
