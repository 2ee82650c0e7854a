"""Evaluation and figures: the only rules that read references."""

ROUND_PLACES = expand("seed{seed}/round{round}", seed=SEEDS, round=range(1, ROUNDS + 1))
EVALUATED = ["valid", "test"]


rule evaluate:
    input:
        code=code("evaluation/metrics", "evaluation/per", "evaluation/boundaries"),
        decoded=expand(RESULTS + "/decode/{split}.parquet", split=EVALUATED),
        references=references(*EVALUATED),
        round_decodes=expand(RESULTS + "/decode/{place}/test.parquet", place=ROUND_PLACES),
        round_losses=expand(RESULTS + "/resegment/{place}/loss.json", place=ROUND_PLACES),
        selection=RESULTS + "/select/selection.json",
        phones=RESULTS + "/phonemize/phones.txt",
        boundaries=RESULTS + "/segment/test.boundaries.parquet",
        vad=RESULTS + "/vad/test.parquet",
        manifests=expand(RESULTS + "/manifest/{split}.parquet", split=SPLITS),
        rejected=expand(RESULTS + "/manifest/{split}.rejected.parquet", split=SPLITS),
        text=RESULTS + "/corpus/text.txt",
        sentences=RESULTS + "/phonemize/sentences.parquet",
    output:
        metrics=RESULTS + "/metrics.json",
        confusions=RESULTS + "/evaluate/confusions.parquet",
        utterances=RESULTS + "/evaluate/utterances.parquet",
        rounds=RESULTS + "/evaluate/rounds.parquet",
    log:
        LOGS + "/evaluate.log",
    benchmark:
        BENCHMARKS + "/evaluate.tsv"
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
        code=code("evaluation/figures_utterance", "evaluation/style"),
        manifest=RESULTS + "/manifest/test.parquet",
        vad=RESULTS + "/vad/test.parquet",
        boundaries=RESULTS + "/segment/test.boundaries.parquet",
        decoded=RESULTS + "/decode/test.parquet",
        references=references("test"),
    output:
        figure=report(
            RESULTS + "/figures/utterance.{index}.png",
            category="Utterances",
            caption="../report/utterance.rst",
            labels={"utterance": "{index}"},
        ),
    log:
        LOGS + "/figures.utterance.{index}.log",
    benchmark:
        BENCHMARKS + "/figures.utterance.{index}.tsv"
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
        rounds=RESULTS + "/evaluate/rounds.parquet",
        restarts=expand(RESULTS + "/match/{place}/losses.parquet", place=ROUND_PLACES),
    output:
        figure=report(
            RESULTS + "/figures/rounds.png",
            category="Learning",
            caption="../report/rounds.rst",
            labels={"figure": "loss and PER per round"},
        ),
    log:
        LOGS + "/figures.rounds.log",
    benchmark:
        BENCHMARKS + "/figures.rounds.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    script:
        "../scripts/rounds_figure.py"


rule confusions_figure:
    input:
        code=code("evaluation/figures", "evaluation/style"),
        confusions=RESULTS + "/evaluate/confusions.parquet",
    output:
        figure=report(
            RESULTS + "/figures/confusions.png",
            category="Errors",
            caption="../report/confusions.rst",
            labels={"figure": "phone confusions"},
        ),
    log:
        LOGS + "/figures.confusions.log",
    benchmark:
        BENCHMARKS + "/figures.confusions.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    script:
        "../scripts/confusions_figure.py"


rule seconds_figure:
    input:
        code=code("evaluation/figures", "evaluation/style"),
        metrics=RESULTS + "/metrics.json",
    output:
        figure=report(
            RESULTS + "/figures/seconds.png",
            category="Resources",
            caption="../report/seconds.rst",
            labels={"figure": "where the seconds went"},
        ),
    log:
        LOGS + "/figures.seconds.log",
    benchmark:
        BENCHMARKS + "/figures.seconds.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    script:
        "../scripts/seconds_figure.py"
