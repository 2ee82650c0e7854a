"""wav2vec 2.0 on the corpus's own audio, XLSR on that of several. `snakemake pretrain` runs it."""


rule pretrain_model:
    input:
        code=PRETRAIN_SOURCES,
        manifests=[f"{place}/manifest/train.parquet" for place in PRETRAIN_PLACES],
        vads=[f"{place}/vad/train.parquet" for place in PRETRAIN_PLACES],
        valid_manifests=[f"{place}/manifest/valid.parquet" for place in PRETRAIN_PLACES],
        valid_vads=[f"{place}/vad/valid.parquet" for place in PRETRAIN_PLACES],
        sizes=config["pretrain"]["model"],
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
        languages=PRETRAIN_LANGUAGES,
        alpha=config["pretrain"]["alpha"],
        settings=PRETRAINING,
        sample_rate_hz=RATE,
    script:
        "../scripts/pretrain.py"


rule codebook:
    input:
        code=code("wav2vec/codebook", "wav2vec/waveform"),
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
        languages=PRETRAIN_LANGUAGES,
        sample_rate_hz=RATE,
        seed=config["pretrain"]["seed"],
    script:
        "../scripts/codebook.py"
