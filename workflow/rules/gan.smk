"""wav2vec-U: the runs of the GAN, several of them in a job, and what each run says of the audio."""


rule gan_segments:
    input:
        frames="<results>/pca/{split}.npy",
        decoded=gan_match("{split}"),
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


rule gan_train:
    input:
        audio=f"{GAN_INPUT}/train.npy",
        valid=f"{GAN_INPUT}/valid.npy",
        phones_text="<results>/silence/phones.txt",
        phones="<results>/phonemize/phones.txt",
        arpa=SELECTION_LM,
        targets="<results>/kmeans/train.npy" if config["gan"]["auxiliary"] else [],
        labels=GAN_LABELS,
        boundaries=f"{GAN_INPUT}/train.boundaries.parquet" if GAN_LABELS else [],
    output:
        models=[f"<results>/gan/job{{job}}/{moment}.safetensors" for moment in GAN_MOMENTS],
        curves="<results>/gan/job{job}/curves.parquet",
    log:
        "<logs>/gan/job{job}.log",
    benchmark:
        "<benchmarks>/gan/job{job}/gan_train.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="24h",
        gpu=int(config["gan"]["device"] == "cuda"),
    params:
        call="gan.train:gan_train",
        runs=lambda wildcards: [GAN_RUNS[number] for number in job_runs(wildcards)],
        numbers=job_runs,
        settings=section("gan"),
        silence=section("silence"),
    script:
        "../scripts/call.py"


rule gan_decode:
    input:
        segments=f"{GAN_INPUT}/{{split}}.npy",
        boundaries=f"{GAN_INPUT}/{{split}}.boundaries.parquet" if GAN_ON_SEGMENTS else [],
        model=lambda wildcards: f"<results>/gan/job{run_job(int(wildcards.run))}/{{moment}}.safetensors",
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
