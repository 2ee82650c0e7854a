"""Rounds of matching, acoustic model and resegmentation, for each seed; then the choice by the loss, and the decode."""

PLACE = "seed{seed}/round{round}"


rule match_round:
    input:
        code=code("matching/match", "matching/optimize", "matching/statistics", "matching/units"),
        segments=lambda wildcards: before(
            wildcards,
            RESULTS + "/segment/train.npy",
            RESULTS + "/resegment/" + PLACE + "/segments.npy",
        ),
        previous=lambda wildcards: before(wildcards, [], RESULTS + "/resegment/" + PLACE + "/labels.npy"),
        phones_text=RESULTS + "/silence/phones.txt",
        phones=RESULTS + "/phonemize/phones.txt",
    output:
        labels=RESULTS + "/match/" + PLACE + "/labels.npy",
        index=RESULTS + "/match/" + PLACE + "/labels.parquet",
        losses=RESULTS + "/match/" + PLACE + "/losses.parquet",
    log:
        LOGS + "/match." + PLACE + ".log",
    benchmark:
        BENCHMARKS + "/" + PLACE + "/match.tsv"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="4h",
    params:
        settings=config["match"],
    script:
        "../scripts/match.py"


rule acoustic_round:
    input:
        code=code("matching/acoustic", "decoding/acoustic", "decoding/search", "decoding/viterbi"),
        frames=RESULTS + "/pca/train.npy",
        boundaries=lambda wildcards: before(
            wildcards,
            RESULTS + "/segment/train.boundaries.parquet",
            RESULTS + "/resegment/" + PLACE + "/boundaries.parquet",
        ),
        labels=RESULTS + "/match/" + PLACE + "/labels.npy",
        arpa=RESULTS + "/phone_lm/lm.arpa",
        phones=RESULTS + "/phonemize/phones.txt",
    output:
        model=RESULTS + "/acoustic/" + PLACE + "/model.safetensors",
    log:
        LOGS + "/acoustic." + PLACE + ".log",
    benchmark:
        BENCHMARKS + "/" + PLACE + "/acoustic.tsv"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="4h",
    params:
        settings=config["acoustic"],
        decode=config["decode"],
    script:
        "../scripts/acoustic.py"


rule resegment_round:
    input:
        code=code("matching/resegment", "decoding/acoustic", "decoding/search", "decoding/viterbi"),
        frames=RESULTS + "/pca/train.npy",
        model=RESULTS + "/acoustic/" + PLACE + "/model.safetensors",
        arpa=RESULTS + "/phone_lm/lm.arpa",
        phones_text=RESULTS + "/silence/phones.txt",
    output:
        boundaries=RESULTS + "/resegment/" + PLACE + "/boundaries.parquet",
        segments=RESULTS + "/resegment/" + PLACE + "/segments.npy",
        segments_index=RESULTS + "/resegment/" + PLACE + "/segments.parquet",
        labels=RESULTS + "/resegment/" + PLACE + "/labels.npy",
        labels_index=RESULTS + "/resegment/" + PLACE + "/labels.parquet",
        loss=RESULTS + "/resegment/" + PLACE + "/loss.json",
    log:
        LOGS + "/resegment." + PLACE + ".log",
    benchmark:
        BENCHMARKS + "/" + PLACE + "/resegment.tsv"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        match=config["match"],
        decode=config["decode"],
    script:
        "../scripts/resegment.py"


rule select:
    input:
        code=code("matching/select"),
        losses=expand(RESULTS + "/resegment/" + PLACE + "/loss.json", seed=SEEDS, round=range(1, ROUNDS + 1)),
        models=expand(RESULTS + "/acoustic/" + PLACE + "/model.safetensors", seed=SEEDS, round=range(1, ROUNDS + 1)),
    output:
        selection=RESULTS + "/select/selection.json",
        model=RESULTS + "/select/model.safetensors",
    log:
        LOGS + "/select.log",
    benchmark:
        BENCHMARKS + "/select.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime="10m",
    params:
        seeds=SEEDS,
        rounds=ROUNDS,
    script:
        "../scripts/select.py"


rule decode_split:
    input:
        code=code("decoding/decode", "decoding/acoustic", "decoding/search", "decoding/viterbi"),
        frames=RESULTS + "/pca/{split}.npy",
        model=RESULTS + "/select/model.safetensors",
        arpa=RESULTS + "/phone_lm/lm.arpa",
    output:
        decoded=RESULTS + "/decode/{split}.parquet",
    log:
        LOGS + "/decode.{split}.log",
    benchmark:
        BENCHMARKS + "/decode.{split}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="4h",
    params:
        settings=config["decode"],
    script:
        "../scripts/decode.py"


# Every round's hypotheses for one split, to see the rounds' progress; nothing unsupervised reads them.
use rule decode_split as decode_round with:
    input:
        code=code("decoding/decode", "decoding/acoustic", "decoding/search", "decoding/viterbi"),
        frames=RESULTS + "/pca/{split}.npy",
        model=RESULTS + "/acoustic/" + PLACE + "/model.safetensors",
        arpa=RESULTS + "/phone_lm/lm.arpa",
    output:
        decoded=RESULTS + "/decode/" + PLACE + "/{split}.parquet",
    log:
        LOGS + "/decode." + PLACE + ".{split}.log",
    benchmark:
        BENCHMARKS + "/" + PLACE + "/decode.{split}.tsv"
