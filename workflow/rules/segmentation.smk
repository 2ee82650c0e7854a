"""From frames to segments: kmeans, pca, segment."""


rule kmeans_fit:
    input:
        features="<results>/features/train.npy",
    output:
        centroids="<results>/kmeans/kmeans.safetensors",
    log:
        "<logs>/kmeans.fit.log",
    benchmark:
        "<benchmarks>/kmeans.fit.tsv"
    conda:
        environment(config["features"]["device"])
    threads: 2
    resources:
        mem_mb=5000 if plan.features.learned else 2000,
        runtime="2h",
        gpu=int(config["features"]["device"] == "cuda"),
    params:
        call="segmentation.kmeans:fit_kmeans",
        settings=section("kmeans"),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule kmeans_split:
    input:
        features="<results>/features/{split}.npy",
        kmeans="<results>/kmeans/kmeans.safetensors",
    output:
        clusters="<results>/kmeans/{split}.npy",
        index="<results>/kmeans/{split}.parquet",
    log:
        "<logs>/kmeans.{split}.log",
    benchmark:
        "<benchmarks>/kmeans.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        call="segmentation.kmeans:apply_kmeans",
    script:
        "../scripts/call.py"


rule pca_fit:
    input:
        features="<results>/features/train.npy",
    output:
        pca="<results>/pca/pca.safetensors",
    log:
        "<logs>/pca.fit.log",
    benchmark:
        "<benchmarks>/pca.fit.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=3000 if plan.features.learned else 1000,
        runtime="1h",
    params:
        call="segmentation.pca:fit_pca",
        settings=section("pca"),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule pca_split:
    input:
        features="<results>/features/{split}.npy",
        pca="<results>/pca/pca.safetensors",
    output:
        projected="<results>/pca/{split}.npy",
        index="<results>/pca/{split}.parquet",
    log:
        "<logs>/pca.{split}.log",
    benchmark:
        "<benchmarks>/pca.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        call="segmentation.pca:apply_pca",
    script:
        "../scripts/call.py"


# Only if segment.rate_hz asks for it.
rule segment_rate:
    input:
        frames="<results>/pca/train.npy",
        features="<results>/features/train.npy",
        clusters="<results>/kmeans/train.npy" if config["segment"]["method"] == "clusters" else [],
    output:
        rate="<results>/segment/rate.json",
    log:
        "<logs>/segment.rate.log",
    benchmark:
        "<benchmarks>/segment.rate.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
    params:
        call="segmentation.rate:segment_rate",
        settings=section("segment"),
        rate_hz=config["segment"]["rate_hz"],
    script:
        "../scripts/call.py"


rule segment_split:
    input:
        frames="<results>/pca/{split}.npy",
        features="<results>/features/{split}.npy",
        train_features="<results>/features/train.npy",
        clusters="<results>/kmeans/{split}.npy" if config["segment"]["method"] == "clusters" else [],
        rate="<results>/segment/rate.json" if config["segment"]["rate_hz"] else [],
    output:
        boundaries="<results>/segment/{split}.boundaries.parquet",
        segments="<results>/segment/{split}.npy",
        index="<results>/segment/{split}.parquet",
    log:
        "<logs>/segment.{split}.log",
    benchmark:
        "<benchmarks>/segment.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        call="segmentation.segment:segment",
        settings=section("segment"),
    script:
        "../scripts/call.py"
