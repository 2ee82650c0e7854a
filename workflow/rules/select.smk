"""Choose among the rounds of the matching, the runs of the GAN and the teacher, and decode with the chosen model."""


rule select:
    input:
        hypotheses=hypotheses(plan.candidates, "valid"),
        models=[candidate.model for candidate in plan.candidates],
        frames="<results>/pca/valid.npy",
        search_arpa=plan.text.search_lm,
        arpa=plan.text.selection_lm,
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
    threads: 2
    resources:
        # A million n-grams take 300 MB, the hypotheses of one candidate for LibriSpeech's dev-clean 6 MB.
        mem_mb=1500 + 10 * len(plan.candidates),
        runtime="1h",
    params:
        call="selection.select:select",
        names=[candidate.name for candidate in plan.candidates],
        kinds=[candidate.kind for candidate in plan.candidates],
        silence=section("silence"),
    script:
        "../scripts/call.py"


rule decode_split:
    input:
        selection="<results>/select/selection.json",
        model="<results>/select/model.safetensors",
        frames="<results>/pca/{split}.npy",
        arpa=plan.text.search_lm,
        segments=f"{plan.gan.folder}/{{split}}.npy" if plan.gan.runs else [],
        boundaries=plan.gan.boundaries("{split}") if plan.gan.runs else [],
        taught=plan.teacher.decoded("{split}"),
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
