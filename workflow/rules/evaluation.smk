"""Evaluation and figures: the only rules that read references."""

EVALUATED = ["valid", "test"]
SCORING = [f"evaluation/{module}" for module in ("labels", "per", "boundaries", "tables")] + ["audio/times"]


rule evaluate_select:
    input:
        code=code("evaluation/select", "selection/metric", *SCORING),
        candidates="<results>/select/candidates.parquet",
        hypotheses=hypotheses("test"),
        moments=gan_phones(["start", "last"], ["test"]),
        references=references("test"),
        manifest="<results>/manifest/test.parquet",
    output:
        metrics="<results>/evaluate/select.json",
        scored="<results>/evaluate/candidates.parquet",
    log:
        "<logs>/evaluate.select.log",
    benchmark:
        "<benchmarks>/evaluate.select.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    script:
        "../scripts/evaluate_select.py"


rule evaluate_hmm:
    input:
        code=code("evaluation/hmm", *SCORING),
        decodes=step_decodes("hmm", CYCLES, "test"),
        references=references("test"),
        manifest="<results>/manifest/test.parquet",
        vad="<results>/vad/test.parquet",
    output:
        metrics="<results>/evaluate/hmm.json",
        confusions="<results>/evaluate/hmm_confusions.parquet",
    log:
        "<logs>/evaluate.hmm.log",
    benchmark:
        "<benchmarks>/evaluate.hmm.tsv"
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
    script:
        "../scripts/evaluate_hmm.py"


rule evaluate_words:
    input:
        code=code("evaluation/words", "evaluation/wer", *SCORING),
        words=expand("<results>/words/{split}.parquet", split=EVALUATED),
        references=references(*EVALUATED),
        manifests=expand("<results>/manifest/{split}.parquet", split=EVALUATED),
        vad="<results>/vad/test.parquet",
        lexicon="<results>/lexicon/lexicon.txt",
    output:
        metrics="<results>/evaluate/words.json",
        word_errors="<results>/evaluate/word_errors.parquet",
        utterances="<results>/evaluate/word_utterances.parquet",
    log:
        "<logs>/evaluate.words.log",
    benchmark:
        "<benchmarks>/evaluate.words.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        settings=config["evaluate"],
        language=config["corpus"]["language"],
        hop_ms=config["features"]["hop_ms"],
        sample_rate_hz=RATE,
    script:
        "../scripts/evaluate_words.py"


rule evaluate:
    input:
        code=code("evaluation/metrics", "evaluation/lm", "evaluation/select", *SCORING),
        decoded=expand("<results>/decode/{split}.parquet", split=EVALUATED),
        references=references(*EVALUATED),
        parts=expand("<results>/evaluate/{part}.json", part=["select", "hmm", "words"]),
        round_decodes=expand("<results>/decode/{place}/test.parquet", place=ROUND_PLACES),
        round_losses=expand("<results>/resegment/{place}/loss.json", place=ROUND_PLACES),
        candidates="<results>/select/candidates.parquet",
        phones="<results>/phonemize/phones.txt",
        boundaries="<results>/segment/test.boundaries.parquet",
        vad="<results>/vad/test.parquet",
        manifests=expand("<results>/manifest/{split}.parquet", split=SPLITS),
        rejected=expand("<results>/manifest/{split}.rejected.parquet", split=SPLITS),
        text="<results>/corpus/text.txt",
        sentences="<results>/phonemize/sentences.parquet",
        lexicon="<results>/lexicon/lexicon.txt",
        phone_lm_reports=expand("<results>/phone_lm/{order}gram.json", order=PHONE_LM_ORDERS),
        word_lm_report="<results>/word_lm/report.json",
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


rule gan_figure:
    input:
        code=code("evaluation/figures_gan", "evaluation/select", "evaluation/style"),
        curves=gan_curves(),
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
    script:
        "../scripts/gan_figure.py"


rule select_figure:
    input:
        code=code("evaluation/figures_select", "evaluation/select", "evaluation/style"),
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
    script:
        "../scripts/select_figure.py"


rule confusions_figure:
    input:
        code=code("evaluation/figures", "evaluation/style"),
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
    script:
        "../scripts/confusions_figure.py"


rule hmm_figure:
    input:
        code=code("evaluation/figures_words", "evaluation/style"),
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
    script:
        "../scripts/hmm_figure.py"


rule words_figure:
    input:
        code=code("evaluation/figures_words", "evaluation/style"),
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
    script:
        "../scripts/words_figure.py"


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
