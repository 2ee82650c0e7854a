"""Rounds of matching, acoustic model and resegmentation, for each seed."""


rule match_round:
    input:
        segments=round_before(
            "<results>/segment/train.npy",
            "<results>/resegment/seed{seed}/round{round}/segments.npy",
        ),
        previous=round_before([], "<results>/resegment/seed{seed}/round{round}/labels.npy"),
        phones_text="<results>/silence/phones.txt",
        phones="<results>/phonemize/phones.txt",
    output:
        labels="<results>/match/seed{seed}/round{round}/labels.npy",
        index="<results>/match/seed{seed}/round{round}/labels.parquet",
        objectives="<results>/match/seed{seed}/round{round}/objectives.parquet",
    log:
        "<logs>/match.seed{seed}/round{round}.log",
    benchmark:
        "<benchmarks>/seed{seed}/round{round}/match.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="4h",
    params:
        call="matching.match:match",
        settings=section("match"),
    script:
        "../scripts/call.py"


rule acoustic_round:
    input:
        frames="<results>/pca/train.npy",
        boundaries=round_before(
            "<results>/segment/train.boundaries.parquet",
            "<results>/resegment/seed{seed}/round{round}/boundaries.parquet",
        ),
        labels="<results>/match/seed{seed}/round{round}/labels.npy",
        arpa=plan.text.search_lm,
        phones="<results>/phonemize/phones.txt",
    output:
        model="<results>/acoustic/seed{seed}/round{round}/model.safetensors",
    log:
        "<logs>/acoustic.seed{seed}/round{round}.log",
    benchmark:
        "<benchmarks>/seed{seed}/round{round}/acoustic.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="4h",
    params:
        call="acoustic.train:acoustic",
        settings=section("acoustic"),
        decode=section("decode"),
    script:
        "../scripts/call.py"


rule resegment_round:
    input:
        frames="<results>/pca/train.npy",
        model="<results>/acoustic/seed{seed}/round{round}/model.safetensors",
        arpa=plan.text.search_lm,
        phones_text="<results>/silence/phones.txt",
    output:
        boundaries="<results>/resegment/seed{seed}/round{round}/boundaries.parquet",
        segments="<results>/resegment/seed{seed}/round{round}/segments.npy",
        segments_index="<results>/resegment/seed{seed}/round{round}/segments.parquet",
        labels="<results>/resegment/seed{seed}/round{round}/labels.npy",
        labels_index="<results>/resegment/seed{seed}/round{round}/labels.parquet",
        discrepancy="<results>/resegment/seed{seed}/round{round}/discrepancy.json",
    log:
        "<logs>/resegment.seed{seed}/round{round}.log",
    benchmark:
        "<benchmarks>/seed{seed}/round{round}/resegment.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        call="matching.resegment:resegment",
        match=section("match"),
        decode=section("decode"),
    script:
        "../scripts/call.py"


# Every round decodes valid for the selection, train for the GAN's warm start, and test to show the rounds' progress.
rule decode_round:
    input:
        frames="<results>/pca/{split}.npy",
        model="<results>/acoustic/seed{seed}/round{round}/model.safetensors",
        arpa=plan.text.search_lm,
    output:
        decoded="<results>/decode/seed{seed}/round{round}/{split}.parquet",
    log:
        "<logs>/decode.seed{seed}/round{round}.{split}.log",
    benchmark:
        "<benchmarks>/seed{seed}/round{round}/decode.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="4h",
    params:
        call="acoustic.decode:decode",
        settings=section("decode"),
    script:
        "../scripts/call.py"
