"""wav2vec 2.0 or HuBERT on the corpus's own audio, XLSR on that of several. `snakemake pretrain` runs it."""


rule pretrain_targets:
    input:
        manifests=[f"{place}/manifest/train.parquet" for place in PRETRAIN_PLACES],
        vads=[f"{place}/vad/train.parquet" for place in PRETRAIN_PLACES],
        sizes=config["pretrain"]["model"],
        teacher=checkpoint_files(config["pretrain"]["targets"]),
    output:
        targets="<results>/pretrain/targets.safetensors",
    log:
        "<logs>/pretrain.targets.log",
    benchmark:
        "<benchmarks>/pretrain.targets.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=6000,
        runtime="2h",
    params:
        call="ssl.targets:fit_targets",
        teacher=config["pretrain"]["targets"],
        layer=config["pretrain"]["targets_layer"],
        settings=section("kmeans", clusters=config["pretrain"]["clusters"]),
        seed=config["pretrain"]["seed"],
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


rule pretrain_model:
    input:
        manifests=[f"{place}/manifest/train.parquet" for place in PRETRAIN_PLACES],
        vads=[f"{place}/vad/train.parquet" for place in PRETRAIN_PLACES],
        valid_manifests=[f"{place}/manifest/valid.parquet" for place in PRETRAIN_PLACES],
        valid_vads=[f"{place}/vad/valid.parquet" for place in PRETRAIN_PLACES],
        sizes=config["pretrain"]["model"],
        targets="<results>/pretrain/targets.safetensors" if PRETRAIN_CLUSTERS else [],
        teacher=checkpoint_files(config["pretrain"]["targets"]) if PRETRAIN_CLUSTERS else [],
    output:
        model=directory("<results>/pretrain/model"),
        curves="<results>/pretrain/curves.parquet",
    log:
        "<logs>/pretrain.log",
    benchmark:
        "<benchmarks>/pretrain.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=6000,
        runtime="4d",
        gpu=config["pretrain"]["processes"] if config["pretrain"]["device"] == "cuda" else 0,
    params:
        call="ssl.pretrain:pretrain",
        languages=PRETRAIN_LANGUAGES,
        alpha=config["pretrain"]["alpha"],
        teacher=config["pretrain"]["targets"],
        teacher_layer=config["pretrain"]["targets_layer"],
        settings=section("pretrain"),
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


rule codebook:
    input:
        model="<results>/pretrain/model",
        manifests=[f"{place}/manifest/train.parquet" for place in PRETRAIN_PLACES],
        vads=[f"{place}/vad/train.parquet" for place in PRETRAIN_PLACES],
    output:
        usage="<results>/pretrain/codebook.parquet",
        metrics="<results>/pretrain/codebook.json",
    log:
        "<logs>/codebook.log",
    benchmark:
        "<benchmarks>/codebook.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime="2h",
    params:
        call="ssl.codebook:codebook",
        languages=PRETRAIN_LANGUAGES,
        sample_rate_hz=RATE,
        seed=config["pretrain"]["seed"],
    script:
        "../scripts/call.py"
