"""From frames to segments: kmeans, pca, segment."""


rule kmeans_fit:
    input:
        code=code("units/kmeans"),
        features=RESULTS + "/features/train.npy",
    output:
        centroids=RESULTS + "/kmeans/kmeans.safetensors",
    log:
        LOGS + "/kmeans.fit.log",
    benchmark:
        BENCHMARKS + "/kmeans.fit.tsv"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="2h",
    params:
        settings=config["kmeans"],
        seed=config["corpus"]["seed"],
    script:
        "../scripts/kmeans_fit.py"


rule kmeans_split:
    input:
        code=code("units/kmeans"),
        features=RESULTS + "/features/{split}.npy",
        kmeans=RESULTS + "/kmeans/kmeans.safetensors",
    output:
        clusters=RESULTS + "/kmeans/{split}.npy",
        index=RESULTS + "/kmeans/{split}.parquet",
    log:
        LOGS + "/kmeans.{split}.log",
    benchmark:
        BENCHMARKS + "/kmeans.{split}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    script:
        "../scripts/kmeans_apply.py"


rule pca_fit:
    input:
        code=code("units/pca"),
        features=RESULTS + "/features/train.npy",
    output:
        pca=RESULTS + "/pca/pca.safetensors",
    log:
        LOGS + "/pca.fit.log",
    benchmark:
        BENCHMARKS + "/pca.fit.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        settings=config["pca"],
        seed=config["corpus"]["seed"],
    script:
        "../scripts/pca_fit.py"


rule pca_split:
    input:
        code=code("units/pca"),
        features=RESULTS + "/features/{split}.npy",
        pca=RESULTS + "/pca/pca.safetensors",
    output:
        projected=RESULTS + "/pca/{split}.npy",
        index=RESULTS + "/pca/{split}.parquet",
    log:
        LOGS + "/pca.{split}.log",
    benchmark:
        BENCHMARKS + "/pca.{split}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    script:
        "../scripts/pca_apply.py"


rule segment_split:
    input:
        code=code("units/segment"),
        frames=RESULTS + "/pca/{split}.npy",
        features=RESULTS + "/features/{split}.npy",
        clusters=RESULTS + "/kmeans/{split}.npy" if config["segment"]["method"] == "clusters" else [],
    output:
        boundaries=RESULTS + "/segment/{split}.boundaries.parquet",
        segments=RESULTS + "/segment/{split}.npy",
        index=RESULTS + "/segment/{split}.parquet",
    log:
        LOGS + "/segment.{split}.log",
    benchmark:
        BENCHMARKS + "/segment.{split}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        settings=config["segment"],
    script:
        "../scripts/segment.py"
