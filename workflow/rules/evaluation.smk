"""Evaluation. Besides these rules, only figures of utterances, the topline and fine-tuning read references."""


rule evaluate_select:
    input:
        candidates="<results>/select/candidates.parquet",
        hypotheses=hypotheses(plan.candidates, "test"),
        moments=plan.gan.phones(["start", "last"], ["test"]),
        references=plan.corpus.references("test"),
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
    params:
        call="evaluation.select:evaluate_select",
    script:
        "../scripts/call.py"


rule evaluate_hmm:
    input:
        decodes=plan.hmm.decodes("test.parquet"),
        weights=plan.hmm.decodes("weights.json"),
        references=plan.corpus.references("test"),
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
        call="evaluation.hmm:evaluate_hmm",
        settings=section("evaluate"),
        hop_ms=HOP_MS,
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


rule evaluate_words:
    input:
        words=expand("<results>/words/{split}.parquet", split=EVALUATED),
        references=plan.corpus.references(*EVALUATED),
        manifests=expand("<results>/manifest/{split}.parquet", split=EVALUATED),
        vad="<results>/vad/test.parquet",
        lexicon="<results>/lexicon/lexicon.txt",
        sentences="<results>/phonemize/sentences.parquet",
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
        call="evaluation.words:evaluate_words",
        settings=section("evaluate"),
        language=config["corpus"]["language"],
        hop_ms=HOP_MS,
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


rule evaluate:
    input:
        decoded=expand("<results>/decode/{split}.parquet", split=EVALUATED),
        references=plan.corpus.references(*EVALUATED),
        parts=expand("<results>/evaluate/{part}.json", part=["select", "hmm", "words"]),
        round_decodes=expand("<results>/decode/{place}/test.parquet", place=plan.matching.places),
        round_discrepancies=expand("<results>/resegment/{place}/discrepancy.json", place=plan.matching.places),
        candidates="<results>/select/candidates.parquet",
        phones="<results>/phonemize/phones.txt",
        boundaries="<results>/segment/test.boundaries.parquet",
        vad="<results>/vad/test.parquet",
        manifests=expand("<results>/manifest/{split}.parquet", split=SPLITS),
        rejected=expand("<results>/manifest/{split}.rejected.parquet", split=SPLITS),
        text="<results>/corpus/text.txt",
        sentences="<results>/phonemize/sentences.parquet",
        lexicon="<results>/lexicon/lexicon.txt",
        phone_lm_reports=expand("<results>/phone_lm/{order}gram.json", order=plan.text.orders),
        word_lm_report="<results>/word_lm/report.json",
        verdict="<results>/verdict.json",
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
        call="evaluation.metrics:evaluate",
        settings=section("evaluate"),
        hop_ms=HOP_MS,
        sample_rate_hz=RATE,
        benchmarks=f"{plan.corpus.results}/benchmarks",
    script:
        "../scripts/call.py"


# Whether the run has learned is told without transcripts; outputs and recogniser ask for it.
rule verdict:
    input:
        tuning="<results>/hmm/final/words/tuning.parquet",
        text_report=f"<results>/phone_lm/{plan.text.selection_order}gram.json",
    output:
        verdict="<results>/verdict.json",
    log:
        "<logs>/verdict.log",
    benchmark:
        "<benchmarks>/verdict.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        call="evaluation.verdict:verdict",
    script:
        "../scripts/call.py"


# Without transcripts it needs nothing, so that it says so at once; nothing depends on what it makes.
rule diagnose_corpus:
    input:
        **plan.diagnosed,
    output:
        report="<results>/evaluate/diagnose.json",
        table="<results>/evaluate/diagnose.parquet",
    log:
        "<logs>/evaluate.diagnose.log",
    benchmark:
        "<benchmarks>/evaluate.diagnose.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="1h",
    params:
        call="evaluation.diagnose:diagnose",
        match=section("match"),
        settings=section("evaluate"),
        seed=plan.matching.seeds[0],
        hop_ms=HOP_MS,
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"
