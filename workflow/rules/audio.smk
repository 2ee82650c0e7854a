"""From recordings to frames: manifest, vad, features."""


rule manifest_split:
    input:
        code=code("audio/manifest"),
        recordings=RESULTS + "/corpus/recordings.parquet",
    output:
        manifest=RESULTS + "/manifest/{split}.parquet",
        rejected=RESULTS + "/manifest/{split}.rejected.parquet",
    log:
        LOGS + "/manifest.{split}.log",
    benchmark:
        BENCHMARKS + "/manifest.{split}.tsv"
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
        code=code("audio/vad"),
        manifest=RESULTS + "/manifest/{split}.parquet",
    output:
        vad=RESULTS + "/vad/{split}.parquet",
    log:
        LOGS + "/vad.{split}.log",
    benchmark:
        BENCHMARKS + "/vad.{split}.tsv"
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
        code=code("audio/features"),
        manifest=RESULTS + "/manifest/{split}.parquet",
        vad=RESULTS + "/vad/{split}.parquet",
    output:
        features=RESULTS + "/features/{split}.npy",
        index=RESULTS + "/features/{split}.parquet",
    log:
        LOGS + "/features.{split}.log",
    benchmark:
        BENCHMARKS + "/features.{split}.tsv"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        settings=config["features"],
        sample_rate_hz=RATE,
    script:
        "../scripts/features.py"
