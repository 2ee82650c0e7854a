"""The choice among the rounds of the matching and the runs of the GAN, and the phones of the chosen one."""


rule select:
    input:
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
        # A million n-grams take 300 MB, what one candidate says of LibriSpeech's dev-clean 6 MB.
        mem_mb=1500 + 10 * len(CANDIDATES),
        runtime="1h",
    params:
        call="selection.select:select",
        names=[found["name"] for found in CANDIDATES],
        kinds=[found["kind"] for found in CANDIDATES],
        silence=section("silence"),
    script:
        "../scripts/call.py"


rule decode_split:
    input:
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
        call="selection.decode:decode_chosen",
        settings=section("decode"),
    script:
        "../scripts/call.py"
