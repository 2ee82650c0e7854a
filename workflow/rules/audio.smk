"""From recordings to frames: manifest, vad, features."""


rule manifest_split:
    input:
        recordings="<results>/corpus/recordings.parquet",
    output:
        manifest="<results>/manifest/{split}.parquet",
        rejected="<results>/manifest/{split}.rejected.parquet",
    log:
        "<logs>/manifest.{split}.log",
    benchmark:
        "<benchmarks>/manifest.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=1000,
        runtime="2h",
    params:
        call="audio.manifest:manifest",
        settings=section("audio"),
    script:
        "../scripts/call.py"


rule vad_split:
    input:
        manifest="<results>/manifest/{split}.parquet",
    output:
        vad="<results>/vad/{split}.parquet",
    log:
        "<logs>/vad.{split}.log",
    benchmark:
        "<benchmarks>/vad.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        call="audio.vad:vad",
        settings=section("vad"),
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


# Features come from one of three rules: spectral frames, a checkpoint's states, or these computed by several jobs.
if not plan.features.learned:

    rule features_split:
        input:
            manifest="<results>/manifest/{split}.parquet",
            vad="<results>/vad/{split}.parquet",
        output:
            features="<results>/features/{split}.npy",
            index="<results>/features/{split}.parquet",
        log:
            "<logs>/features.{split}.log",
        benchmark:
            "<benchmarks>/features.{split}.tsv"
        conda:
            "../../envs/cpu.yaml"
        threads: 2
        resources:
            mem_mb=2000,
            runtime="4h",
        params:
            call="audio.features:features",
            settings=section("features"),
            sample_rate_hz=RATE,
            speaker_level=plan.corpus.speaker_level,
        script:
            "../scripts/call.py"

elif plan.features.shards == 1:

    rule features_split:
        input:
            manifest="<results>/manifest/{split}.parquet",
            vad="<results>/vad/{split}.parquet",
            checkpoint=plan.features.checkpoint.files,
        output:
            features="<results>/features/{split}.npy",
            index="<results>/features/{split}.parquet",
        log:
            "<logs>/features.{split}.log",
        benchmark:
            "<benchmarks>/features.{split}.tsv"
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
            settings=section("features"),
            checkpoint=plan.features.checkpoint.name,  # its files are an input so that new weights cause a rerun
            sample_rate_hz=RATE,
            hop_ms=HOP_MS,
            shard=0,
        script:
            "../scripts/call.py"

else:

    rule features_shard:
        input:
            manifest="<results>/manifest/{split}.parquet",
            vad="<results>/vad/{split}.parquet",
            checkpoint=plan.features.checkpoint.files,
        output:
            features=temp("<results>/features/{split}/shard{shard}.npy"),
            index=temp("<results>/features/{split}/shard{shard}.parquet"),
        log:
            "<logs>/features/{split}.shard{shard}.log",
        benchmark:
            "<benchmarks>/features/features_shard.{split}.shard{shard}.tsv"
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
            settings=section("features"),
            checkpoint=plan.features.checkpoint.name,  # its files are an input so that new weights cause a rerun
            sample_rate_hz=RATE,
            hop_ms=HOP_MS,
        script:
            "../scripts/call.py"

    rule features_split:
        input:
            manifest="<results>/manifest/{split}.parquet",
            shards=expand("<results>/features/{{split}}/shard{shard}.npy", shard=range(plan.features.shards)),
            shard_index=expand("<results>/features/{{split}}/shard{shard}.parquet", shard=range(plan.features.shards)),
        output:
            features="<results>/features/{split}.npy",
            index="<results>/features/{split}.parquet",
        log:
            "<logs>/features.{split}.log",
        benchmark:
            "<benchmarks>/features.{split}.tsv"
        conda:
            "../../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime="4h",
        params:
            call="ssl.parts:join_shards",
        script:
            "../scripts/call.py"
