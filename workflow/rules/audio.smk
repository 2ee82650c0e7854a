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
        settings=config["features"],
        sample_rate_hz=RATE,
    script:
        "../scripts/features.py"
