"""wav2vec 2.0 or HuBERT on the corpus's own audio, or XLSR on that of several corpora. `snakemake pretrain` runs it."""


rule pretrain_targets:
    input:
        manifests=plan.pretrain.files("manifest", "train"),
        vads=plan.pretrain.files("vad", "train"),
        sizes=project_file(config["pretrain"]["model"]),
        teacher=plan.pretrain.teacher.files,
    output:
        targets="<results>/pretrain/targets.safetensors",
    log:
        "<logs>/pretrain.targets.log",
    benchmark:
        "<benchmarks>/pretrain.targets.tsv"
    conda:
        environment(config["pretrain"]["device"])
    threads: 2
    resources:
        mem_mb=6000,
        runtime="2h",
        gpu=int(config["pretrain"]["device"] == "cuda"),
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
        manifests=plan.pretrain.files("manifest", "train"),
        vads=plan.pretrain.files("vad", "train"),
        valid_manifests=plan.pretrain.files("manifest", "valid"),
        valid_vads=plan.pretrain.files("vad", "valid"),
        sizes=project_file(config["pretrain"]["model"]),
        targets="<results>/pretrain/targets.safetensors" if plan.pretrain.clusters else [],
        teacher=plan.pretrain.teacher.files if plan.pretrain.clusters else [],
    output:
        model=directory("<results>/pretrain/model"),
        curves="<results>/pretrain/curves.parquet",
    log:
        "<logs>/pretrain.log",
    benchmark:
        "<benchmarks>/pretrain.tsv"
    conda:
        environment(config["pretrain"]["device"])
    threads: 2
    resources:
        mem_mb=6000,
        runtime="4d",
        gpu=config["pretrain"]["processes"] if config["pretrain"]["device"] == "cuda" else 0,
    params:
        call="ssl.pretrain:pretrain",
        languages=plan.pretrain.languages,
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
        manifests=plan.pretrain.files("manifest", "train"),
        vads=plan.pretrain.files("vad", "train"),
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
        languages=plan.pretrain.languages,
        sample_rate_hz=RATE,
        seed=config["pretrain"]["seed"],
    script:
        "../scripts/call.py"
