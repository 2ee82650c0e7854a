"""The choice among the rounds of the matching and the runs of the GAN, and the phones of the chosen one."""


rule select:
    input:
        code=code("selection/select", "selection/metric"),
        hypotheses=hypotheses("valid"),
        models=[found["model"] for found in CANDIDATES],
        arpa=SELECTION_LM,
        phones="<results>/phonemize/phones.txt",
    output:
        candidates="<results>/select/candidates.parquet",
        selection="<results>/select/selection.json",
        model="<results>/select/model.safetensors",
    log:
        "<logs>/select.log",
    benchmark:
        "<benchmarks>/select.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime="1h",
    params:
        names=[found["name"] for found in CANDIDATES],
        kinds=[found["kind"] for found in CANDIDATES],
        silence=config["silence"],
    script:
        "../scripts/select.py"


rule decode_split:
    input:
        code=code("selection/decode", "decoding/decode", "decoding/acoustic", "decoding/search", "decoding/viterbi"),
        selection="<results>/select/selection.json",
        model="<results>/select/model.safetensors",
        frames="<results>/pca/{split}.npy",
        arpa=PHONE_LM,
        segments=f"{GAN_INPUT}/{{split}}.npy" if GAN_RUNS else [],
        boundaries=f"{GAN_INPUT}/{{split}}.boundaries.parquet" if GAN_RUNS and GAN_ON_SEGMENTS else [],
    output:
        decoded="<results>/decode/{split}.parquet",
    log:
        "<logs>/decode.{split}.log",
    benchmark:
        "<benchmarks>/decode.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="4h",
    params:
        settings=config["decode"],
    script:
        "../scripts/decode_chosen.py"
