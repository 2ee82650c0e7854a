"""From recordings to frames: manifest, vad, features."""


rule manifest_split:
    input:
        code=code("audio/manifest", "audio/io"),
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
        settings=config["audio"],
    script:
        "../scripts/manifest.py"


rule vad_split:
    input:
        code=code("audio/vad", "audio/io"),
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
        settings=config["vad"],
        sample_rate_hz=RATE,
    script:
        "../scripts/vad.py"


# One of three ways to the features: spectral frames, the states of a checkpoint, and those made by several jobs.
if not WAV2VEC:

    rule features_split:
        input:
            code=code("audio/features", "audio/io"),
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
            settings=section("features", "kind window_ms hop_ms mel_bins coefficients deltas mean_norm"),
            sample_rate_hz=RATE,
        script:
            "../scripts/features.py"

elif SHARDS == 1:

    rule features_split:
        input:
            code=WAV2VEC_SOURCES,
            manifest="<results>/manifest/{split}.parquet",
            vad="<results>/vad/{split}.parquet",
            checkpoint=checkpoint_files(),
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
            mem_mb=8000,
            runtime="24h",
            gpu=int(config["features"]["device"] == "cuda"),
        params:
            settings=section("features", "layer batch_seconds device shards"),
            checkpoint=CHECKPOINT,  # in place of the input, which is there so that other weights count
            sample_rate_hz=RATE,
            hop_ms=HOP_MS,
            shard=0,
        script:
            "../scripts/wav2vec_features.py"

else:

    rule features_shard:
        input:
            code=WAV2VEC_SOURCES,
            manifest="<results>/manifest/{split}.parquet",
            vad="<results>/vad/{split}.parquet",
            checkpoint=checkpoint_files(),
        output:
            features=temp("<results>/features/{split}/shard{shard}.npy"),
            index=temp("<results>/features/{split}/shard{shard}.parquet"),
        log:
            "<logs>/features/{split}.shard{shard}.log",
        benchmark:
            "<benchmarks>/features/features_shard.{split}.shard{shard}.tsv"
        conda:
            "../../envs/cpu.yaml"
        threads: 2
        resources:
            mem_mb=8000,
            runtime="24h",
            gpu=int(config["features"]["device"] == "cuda"),
        params:
            settings=section("features", "layer batch_seconds device shards"),
            checkpoint=CHECKPOINT,  # in place of the input, which is there so that other weights count
            sample_rate_hz=RATE,
            hop_ms=HOP_MS,
        script:
            "../scripts/wav2vec_features.py"

    rule features_split:
        input:
            code=code("wav2vec/parts"),
            manifest="<results>/manifest/{split}.parquet",
            shards=expand("<results>/features/{{split}}/shard{shard}.npy", shard=range(SHARDS)),
            shard_index=expand("<results>/features/{{split}}/shard{shard}.parquet", shard=range(SHARDS)),
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
        script:
            "../scripts/wav2vec_join.py"
