"""The figures of the report, from what the evaluation wrote and from the artifacts themselves."""


rule utterance_figure:
    input:
        manifest="<results>/manifest/test.parquet",
        vad="<results>/vad/test.parquet",
        boundaries="<results>/segment/test.boundaries.parquet",
        decoded="<results>/decode/test.parquet",
        references=plan.corpus.references("test"),
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
        call="figures.utterance:utterance_figure",
        settings=section("report"),
        sample_rate_hz=RATE,
        hop_ms=HOP_MS,
    script:
        "../scripts/call.py"


rule rounds_figure:
    input:
        rounds="<results>/evaluate/rounds.parquet",
        restarts=expand("<results>/match/{place}/losses.parquet", place=plan.matching.places),
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
    params:
        call="figures.overview:rounds_figure",
    script:
        "../scripts/call.py"


rule gan_figure:
    input:
        curves=plan.gan.curves,
        candidates="<results>/select/candidates.parquet",
    output:
        figure=report(
            "<results>/figures/gan.png",
            category="Learning",
            caption="../report/gan.rst",
            labels={"figure": "training of the GAN"},
        ),
    log:
        "<logs>/figures.gan.log",
    benchmark:
        "<benchmarks>/figures.gan.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        call="figures.gan:gan_figure",
    script:
        "../scripts/call.py"


rule pretrain_figure:
    input:
        curves="<results>/pretrain/curves.parquet",
    output:
        figure=report(
            "<results>/figures/pretrain.png",
            category="Learning",
            caption="../report/pretrain.rst",
            labels={"figure": "wav2vec 2.0 pretraining"},
        ),
    log:
        "<logs>/figures.pretrain.log",
    benchmark:
        "<benchmarks>/figures.pretrain.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        call="figures.pretrain:pretrain_figure",
    script:
        "../scripts/call.py"


rule codebook_figure:
    input:
        usage="<results>/pretrain/codebook.parquet",
    output:
        figure=report(
            "<results>/figures/codebook.png",
            category="Learning",
            caption="../report/codebook.rst",
            labels={"figure": "codes of the languages"},
        ),
    log:
        "<logs>/figures.codebook.log",
    benchmark:
        "<benchmarks>/figures.codebook.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        call="figures.pretrain:codebook_figure",
    script:
        "../scripts/call.py"


rule select_figure:
    input:
        scored="<results>/evaluate/candidates.parquet",
    output:
        figure=report(
            "<results>/figures/select.png",
            category="Learning",
            caption="../report/select.rst",
            labels={"figure": "choice among the candidates"},
        ),
    log:
        "<logs>/figures.select.log",
    benchmark:
        "<benchmarks>/figures.select.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        call="figures.select:select_figure",
    script:
        "../scripts/call.py"


rule confusions_figure:
    input:
        confusions="<results>/evaluate/hmm_confusions.parquet",
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
    params:
        call="figures.overview:confusions_figure",
    script:
        "../scripts/call.py"


rule hmm_figure:
    input:
        metrics="<results>/metrics.json",
    output:
        figure=report(
            "<results>/figures/hmm.png",
            category="Learning",
            caption="../report/hmm.rst",
            labels={"figure": "PER after HMM self-training"},
        ),
    log:
        "<logs>/figures.hmm.log",
    benchmark:
        "<benchmarks>/figures.hmm.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        call="figures.words:hmm_figure",
    script:
        "../scripts/call.py"


rule words_figure:
    input:
        word_errors="<results>/evaluate/word_errors.parquet",
    output:
        figure=report(
            "<results>/figures/words.png",
            category="Errors",
            caption="../report/words.rst",
            labels={"figure": "word errors"},
        ),
    log:
        "<logs>/figures.words.log",
    benchmark:
        "<benchmarks>/figures.words.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        call="figures.words:words_figure",
    script:
        "../scripts/call.py"


rule seconds_figure:
    input:
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
    params:
        call="figures.overview:seconds_figure",
    script:
        "../scripts/call.py"
