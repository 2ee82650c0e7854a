"""wav2vec-U: the runs of the GAN, several of them in a job, and the phones that each run decodes."""


rule gan_segments:
    input:
        frames="<results>/pca/{split}.npy",
        decoded=f"{plan.gan.cut_by}/{{split}}.parquet",
    output:
        segments="<results>/gan/segments/{split}.npy",
        index="<results>/gan/segments/{split}.parquet",
        boundaries="<results>/gan/segments/{split}.boundaries.parquet",
    log:
        "<logs>/gan/segments.{split}.log",
    benchmark:
        "<benchmarks>/gan/gan_segments.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        call="gan.segments:gan_segments",
    script:
        "../scripts/call.py"


# The pseudo-labels of the auxiliary loss (wav2vec-U 2.0): clusters of MFCCs of the same speech, whatever the GAN hears.
rule gan_mfcc:
    input:
        manifest="<results>/manifest/train.parquet",
        vad="<results>/vad/train.parquet",
    output:
        features="<results>/gan/mfcc/train.npy",
        index="<results>/gan/mfcc/train.parquet",
    log:
        "<logs>/gan/mfcc.log",
    benchmark:
        "<benchmarks>/gan/gan_mfcc.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        call="audio.features:features",
        settings=section("features", kind="mfcc"),
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"


use rule kmeans_fit as gan_kmeans with:
    input:
        features=plan.gan.mfcc,
    output:
        centroids="<results>/gan/targets/kmeans.safetensors",
    log:
        "<logs>/gan/kmeans.log",
    benchmark:
        "<benchmarks>/gan/gan_kmeans.tsv"
    params:
        call="segmentation.kmeans:fit_kmeans",
        settings=section("kmeans", clusters=config["gan"]["auxiliary_clusters"]),
        seed=config["corpus"]["seed"],
        key="gan.auxiliary_clusters",


use rule kmeans_split as gan_targets with:
    input:
        features=plan.gan.mfcc,
        kmeans="<results>/gan/targets/kmeans.safetensors",
    output:
        clusters="<results>/gan/targets/train.npy",
        index="<results>/gan/targets/train.parquet",
    log:
        "<logs>/gan/targets.log",
    benchmark:
        "<benchmarks>/gan/gan_targets.tsv"


rule gan_train:
    input:
        audio=f"{plan.gan.folder}/train.npy",
        valid=f"{plan.gan.folder}/valid.npy",
        phones_text="<results>/silence/phones.txt",
        phones="<results>/phonemize/phones.txt",
        arpa=plan.text.selection_lm,
        targets=plan.gan.targets,
        labels=plan.gan.labels,
        boundaries=plan.gan.boundaries("train") if plan.gan.labels else [],
    output:
        models=expand("<results>/gan/job{{job}}/{moment}.safetensors", moment=MOMENTS),
        curves="<results>/gan/job{job}/curves.parquet",
    log:
        "<logs>/gan/job{job}.log",
    benchmark:
        "<benchmarks>/gan/job{job}/gan_train.tsv"
    conda:
        environment(config["gan"]["device"])
    threads: 1
    resources:
        mem_mb=4000,
        runtime="24h",
        gpu=int(config["gan"]["device"] == "cuda"),
    params:
        call="gan.train:gan_train",
        runs=plan.gan.job_runs,
        numbers=plan.gan.job_numbers,
        settings=section("gan"),
        starts=plan.gan.starts,
        silence=section("silence"),
    script:
        "../scripts/call.py"


rule gan_decode:
    input:
        segments=f"{plan.gan.folder}/{{split}}.npy",
        boundaries=plan.gan.boundaries("{split}"),
        model=plan.gan.model,
    output:
        posteriors="<results>/gan/run{run}/{moment}/{split}.npy",
        index="<results>/gan/run{run}/{moment}/{split}.parquet",
        decoded="<results>/gan/run{run}/{moment}/{split}.phones.parquet",
    log:
        "<logs>/gan/run{run}/{moment}.{split}.log",
    benchmark:
        "<benchmarks>/gan/run{run}/{moment}/gan_decode.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        call="gan.transcribe:gan_decode",
    script:
        "../scripts/call.py"
