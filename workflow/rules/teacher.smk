"""A teacher that nobody had to transcribe: the unpaired text spoken by eSpeak NG, a classifier trained on it, and that
adapted to the corpus without labels. `snakemake teacher` runs it.
"""

from unscribed.teacher.frames import FEATURES as TEACHER_FEATURES


rule speak:
    input:
        sentences="<results>/phonemize/sentences.parquet",
    output:
        audio=directory("<results>/speak/audio"),
        spoken="<results>/speak/spoken.parquet",
        manifest="<results>/speak/manifest.parquet",
        vad="<results>/speak/vad.parquet",
    log:
        "<logs>/speak.log",
    benchmark:
        "<benchmarks>/speak.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        call="teacher.speak:speak",
        settings=section("speak"),
        language=config["corpus"]["language"],
        margin_ms=config["vad"]["margin_ms"],
        seed=config["corpus"]["seed"],
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


if plan.teacher.own_frames or not plan.features.learned:

    rule teacher_frames:
        input:
            manifest="<results>/speak/manifest.parquet",
            vad="<results>/speak/vad.parquet",
        output:
            features="<results>/speak/frames.npy",
            index="<results>/speak/frames.parquet",
        log:
            "<logs>/teacher.frames.log",
        benchmark:
            "<benchmarks>/teacher.frames.tsv"
        conda:
            "../../envs/cpu.yaml"
        threads: 2
        resources:
            mem_mb=2000,
            runtime="4h",
        params:
            call="audio.features:features",
            settings=TEACHER_FEATURES if plan.teacher.own_frames else section("features"),
            sample_rate_hz=RATE,
        script:
            "../scripts/call.py"

else:

    rule teacher_frames:
        input:
            manifest="<results>/speak/manifest.parquet",
            vad="<results>/speak/vad.parquet",
            checkpoint=plan.features.checkpoint.files,
        output:
            features="<results>/speak/frames.npy",
            index="<results>/speak/frames.parquet",
        log:
            "<logs>/teacher.frames.log",
        benchmark:
            "<benchmarks>/teacher.frames.tsv"
        conda:
            environment(config["features"]["device"])
        threads: 2
        resources:
            mem_mb=8000,
            runtime="24h",
            gpu=int(config["features"]["device"] == "cuda"),
        params:
            call="ssl.extract:learned_features",
            encoder=plan.features.learned.encoder,
            settings=section("features", shards=1),
            checkpoint=plan.features.checkpoint.name,  # its files are an input so that new weights cause a rerun
            sample_rate_hz=RATE,
            hop_ms=HOP_MS,
            shard=0,
        script:
            "../scripts/call.py"


rule teacher_train:
    input:
        frames="<results>/speak/frames.npy",
        spoken="<results>/speak/spoken.parquet",
        vad="<results>/speak/vad.parquet",
        phones="<results>/phonemize/phones.txt",
    output:
        model="<results>/teacher/model.safetensors",
        curves="<results>/teacher/curves.parquet",
    log:
        "<logs>/teacher.log",
    benchmark:
        "<benchmarks>/teacher.tsv"
    conda:
        environment(config["teacher"]["device"])
    threads: 2
    resources:
        mem_mb=4000,
        runtime="4h",
        gpu=int(config["teacher"]["device"] == "cuda"),
    params:
        call="teacher.train:teacher",
        settings=section("teacher"),
        seed=config["teacher"]["seed"],
    script:
        "../scripts/call.py"


rule teacher_corpus_frames:
    input:
        manifest="<results>/manifest/{split}.parquet",
        vad="<results>/vad/{split}.parquet",
    output:
        features="<results>/teacher/frames/{split}.npy",
        index="<results>/teacher/frames/{split}.parquet",
    log:
        "<logs>/teacher.frames.{split}.log",
    benchmark:
        "<benchmarks>/teacher.frames.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        call="audio.features:features",
        settings=TEACHER_FEATURES,
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


rule teacher_adapt:
    input:
        model="<results>/teacher/model.safetensors",
        frames=plan.teacher.frames("train"),
    output:
        adapted="<results>/teacher/adapted.safetensors",
        adaptation="<results>/teacher/adaptation.parquet",
    log:
        "<logs>/teacher.adapt.log",
    benchmark:
        "<benchmarks>/teacher.adapt.tsv"
    conda:
        environment(config["teacher"]["device"])
    threads: 2
    resources:
        mem_mb=3000,
        runtime="4h",
        gpu=int(config["teacher"]["device"] == "cuda"),
    params:
        call="teacher.adapt:adapt",
        settings=section("teacher"),
        seed=config["teacher"]["seed"],
    script:
        "../scripts/call.py"


rule teacher_decode:
    input:
        model="<results>/teacher/adapted.safetensors",
        frames=plan.teacher.frames("{split}"),
        manifest="<results>/manifest/{split}.parquet",
        modelled=plan.hmm.store("{split}"),
        arpa=plan.text.search_lm,
    output:
        decoded="<results>/teacher/decode/{split}.parquet",
    log:
        "<logs>/teacher.decode.{split}.log",
    benchmark:
        "<benchmarks>/teacher.decode.{split}.tsv"
    conda:
        environment(config["teacher"]["device"])
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
        gpu=int(config["teacher"]["device"] == "cuda"),
    params:
        call="teacher.decode:teacher_decode",
        settings=section(
            "decode",
            acoustic_scale=config["teacher"]["acoustic_scale"],
            prior_weight=config["teacher"]["prior_weight"],
        ),
        warps=config["teacher"]["warps"],
        speaker_level=plan.corpus.speaker_level,
        device=config["teacher"]["device"],
    script:
        "../scripts/call.py"
