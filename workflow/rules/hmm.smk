"""HMM self-training: from the mapping's phones to GMM-HMMs, step by step, and on to words.

A place is a folder with a model: hmm/cycle1/step1, … and hmm/final; supervised/step1, … belong to supervised.smk.
In it, `phones` and `words` hold the graph of that language model, its weights and what was decoded with them.
"""

# Gaussians with diagonal covariances need decorrelated features: cepstra, or what PCA makes of anything else.
HMM_FRAMES = "features" if config["features"]["kind"] == "mfcc" else "pca"
HMM_TRAINING = section("hmm", "steps states iterations realign lda_dims lda_context_frames max_frames")
HMM_SEARCH = section("hmm", "lm_weights insertion_penalties min_edit_rate tune_utterances beam max_active")
HMM_SOURCES = code("hmm/model", "hmm/topology", "hmm/gmm", "hmm/frontend")
SEARCH_SOURCES = [*HMM_SOURCES, *code("hmm/search", "decoding/beam", "decoding/lattice", "decoding/graph", "hmm/tune")]
LAST_STEP = len(config["hmm"]["steps"])


wildcard_constraints:
    place=r"hmm/final|hmm/cycle\d+/step\d+|supervised/step\d+",
    cycle=r"[1-9]\d*",
    step=r"[1-9]\d*",
    lm="phones|words",


rule hmm_train:
    input:
        code=HMM_SOURCES + code("hmm/train", "hmm/align", "hmm/labels"),
        features=f"<results>/{HMM_FRAMES}/train.npy",
        labels=step_labels,
        phones="<results>/phonemize/phones.txt",
    output:
        model="<results>/hmm/cycle{cycle}/step{step}/model.safetensors",
    log:
        "<logs>/hmm/cycle{cycle}/step{step}/hmm_train.log",
    benchmark:
        "<benchmarks>/hmm/cycle{cycle}/step{step}/hmm_train.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime="8h",
    params:
        settings=HMM_TRAINING,
        seed=config["corpus"]["seed"],
    script:
        "../scripts/hmm_train.py"


rule hmm_phone_graph:
    input:
        code=code("hmm/graph", "decoding/graph", "hmm/topology"),
        model="<results>/{place}/model.safetensors",
        fst=lambda wildcards: f"{text_of(wildcards)}/phone_lm/{config['hmm']['lm_order']}gram.fst",
    output:
        graph="<results>/{place}/phones/graph.safetensors",
    log:
        "<logs>/{place}/phones/hmm_graph.log",
    benchmark:
        "<benchmarks>/{place}/phones/hmm_graph.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
    script:
        "../scripts/hmm_phone_graph.py"


rule hmm_word_graph:
    input:
        code=code("hmm/graph", "decoding/graph", "hmm/topology"),
        model="<results>/{place}/model.safetensors",
        fst=lambda wildcards: f"{text_of(wildcards)}/word_lm/lm.fst",
        word_symbols=lambda wildcards: f"{text_of(wildcards)}/word_lm/words.txt",
        lexiconp=lambda wildcards: f"{text_of(wildcards)}/lexicon/lexiconp.txt",
    output:
        graph="<results>/{place}/words/graph.safetensors",
    log:
        "<logs>/{place}/words/hmm_graph.log",
    benchmark:
        "<benchmarks>/{place}/words/hmm_graph.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="2h",
    params:
        silence=config["silence"],
    script:
        "../scripts/hmm_word_graph.py"


rule hmm_tune:
    input:
        code=SEARCH_SOURCES,
        features=f"<results>/{HMM_FRAMES}/valid.npy",
        model="<results>/{place}/model.safetensors",
        graph="<results>/{place}/{lm}/graph.safetensors",
        labels=place_labels,
        arpa=lambda wildcards: f"{text_of(wildcards)}/phone_lm/{config['hmm']['lm_order']}gram.arpa",
    output:
        tuning="<results>/{place}/{lm}/tuning.parquet",
        weights="<results>/{place}/{lm}/weights.json",
    log:
        "<logs>/{place}/{lm}/hmm_tune.log",
    benchmark:
        "<benchmarks>/{place}/{lm}/hmm_tune.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="2h",
    params:
        settings=HMM_SEARCH,
        silence=config["silence"],
        transcribed=lambda wildcards: wildcards.place.startswith("supervised"),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/hmm_tune.py"


rule hmm_decode:
    input:
        code=SEARCH_SOURCES + code("hmm/decode"),
        features=f"<results>/{HMM_FRAMES}/{{split}}.npy",
        model="<results>/{place}/model.safetensors",
        graph="<results>/{place}/{lm}/graph.safetensors",
        weights="<results>/{place}/{lm}/weights.json",
    output:
        decoded="<results>/{place}/{lm}/{split}.parquet",
    log:
        "<logs>/{place}/{lm}/hmm_decode.{split}.log",
    benchmark:
        "<benchmarks>/{place}/{lm}/hmm_decode.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="12h",
    params:
        settings=HMM_SEARCH,
    script:
        "../scripts/hmm_decode.py"


# Which cycle was best is decided by the loss that also chooses the mapping; a single one needs no decision.
rule hmm_select:
    input:
        code=code("hmm/select", "matching/statistics", "matching/phone_text"),
        models=expand(f"<results>/hmm/cycle{{cycle}}/step{LAST_STEP}/model.safetensors", cycle=CYCLES),
        decoded=(
            expand(f"<results>/hmm/cycle{{cycle}}/step{LAST_STEP}/phones/train.parquet", cycle=CYCLES)
            if len(CYCLES) > 1
            else []
        ),
        phones_text="<results>/silence/phones.txt",
        phones="<results>/phonemize/phones.txt",
    output:
        model="<results>/hmm/final/model.safetensors",
        selection="<results>/hmm/final/selection.json",
    log:
        "<logs>/hmm/final/hmm_select.log",
    benchmark:
        "<benchmarks>/hmm/final/hmm_select.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="30m",
    params:
        match=MATCH,
    script:
        "../scripts/hmm_select.py"


# The loop back: alignments of a cycle are the segments from which the next one's mapping is learned.
rule hmm_segments:
    input:
        code=code("hmm/segments", "matching/resegment", "units/segment") + HMM_SOURCES,
        frames="<results>/pca/train.npy",
        features=f"<results>/{HMM_FRAMES}/train.npy",
        model=f"<results>/hmm/cycle{{cycle}}/step{LAST_STEP}/model.safetensors",
        aligned=f"<results>/hmm/cycle{{cycle}}/step{LAST_STEP}/phones/train.parquet",
    output:
        boundaries="<results>/hmm/cycle{cycle}/segments/boundaries.parquet",
        segments="<results>/hmm/cycle{cycle}/segments/segments.npy",
        segments_index="<results>/hmm/cycle{cycle}/segments/segments.parquet",
        labels="<results>/hmm/cycle{cycle}/segments/labels.npy",
        labels_index="<results>/hmm/cycle{cycle}/segments/labels.parquet",
    log:
        "<logs>/hmm/cycle{cycle}/hmm_segments.log",
    benchmark:
        "<benchmarks>/hmm/cycle{cycle}/hmm_segments.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="4h",
    script:
        "../scripts/hmm_segments.py"


use rule match_round as match_cycle with:
    input:
        code=code("matching/match", "matching/optimize", "matching/phone_text", "matching/statistics", "matching/units"),
        segments=cycle_before("segments.npy"),
        previous=cycle_before("labels.npy"),
        phones_text="<results>/silence/phones.txt",
        phones="<results>/phonemize/phones.txt",
    output:
        labels="<results>/hmm/cycle{cycle}/mapping/labels.npy",
        index="<results>/hmm/cycle{cycle}/mapping/labels.parquet",
        losses="<results>/hmm/cycle{cycle}/mapping/losses.parquet",
    log:
        "<logs>/hmm/cycle{cycle}/match.log",
    benchmark:
        "<benchmarks>/hmm/cycle{cycle}/match.tsv"
    params:
        settings=MATCH,
        seed=SEEDS[0],


use rule acoustic_round as acoustic_cycle with:
    input:
        code=code("matching/acoustic", "decoding/acoustic", "decoding/search", "decoding/viterbi", "units/pca"),
        frames="<results>/pca/train.npy",
        boundaries=cycle_before("boundaries.parquet"),
        labels="<results>/hmm/cycle{cycle}/mapping/labels.npy",
        arpa=PHONE_LM,
        phones="<results>/phonemize/phones.txt",
    output:
        model="<results>/hmm/cycle{cycle}/mapping/model.safetensors",
    log:
        "<logs>/hmm/cycle{cycle}/acoustic.log",
    benchmark:
        "<benchmarks>/hmm/cycle{cycle}/acoustic.tsv"
    params:
        settings=config["acoustic"],
        decode=config["decode"],
        seed=SEEDS[0],


use rule decode_round as decode_cycle with:
    input:
        code=code("decoding/decode", "decoding/acoustic", "decoding/search", "decoding/viterbi"),
        frames="<results>/pca/{split}.npy",
        model="<results>/hmm/cycle{cycle}/mapping/model.safetensors",
        arpa=PHONE_LM,
    output:
        decoded="<results>/hmm/cycle{cycle}/mapping/{split}.parquet",
    log:
        "<logs>/hmm/cycle{cycle}/decode.{split}.log",
    benchmark:
        "<benchmarks>/hmm/cycle{cycle}/decode.{split}.tsv"


rule words_split:
    input:
        code=SEARCH_SOURCES + code("hmm/words", "decoding/nbest", "outputs/words"),
        features=f"<results>/{HMM_FRAMES}/{{split}}.npy",
        model="<results>/hmm/final/model.safetensors",
        graph="<results>/hmm/final/words/graph.safetensors",
        weights="<results>/hmm/final/words/weights.json",
        lexiconp="<results>/lexicon/lexiconp.txt",
        word_symbols="<results>/word_lm/words.txt",
    output:
        words="<results>/words/{split}.parquet",
    log:
        "<logs>/words.{split}.log",
    benchmark:
        "<benchmarks>/words.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="12h",
    params:
        settings=config["words"],
        search=HMM_SEARCH,
    script:
        "../scripts/words.py"
