"""HMM self-training: GMM-HMMs trained on the mapping's phones, step by step, and decoding of words.

A place is a folder with a model: hmm/cycle1/step1, … and hmm/final; supervised/step1, … belong to supervised.smk.
Its folders `phones`, `words` and `open` have the graph with that language model, its weights and the decoded phones.
"""


wildcard_constraints:
    place=r"hmm/final|hmm/cycle\d+/step\d+|supervised/step\d+",
    cycle=r"[1-9]\d*",
    step=r"[1-9]\d*",
    lm="phones|words|open",


rule hmm_train:
    input:
        features=plan.hmm.store("train"),
        labels=plan.hmm.step_labels,
        phones="<results>/phonemize/phones.txt",
        before=plan.hmm.before("model.safetensors"),
        before_weights=plan.hmm.before("{labels}/weights.json"),
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
        mem_mb=500 + config["hmm"]["max_memory_mb"],
        runtime="8h",
    params:
        call="hmm.train:hmm_train",
        kind=plan.hmm.kind,
        settled=config["hmm"]["settled"],
        settings=section("hmm"),
        network=section("teacher", updates=config["hmm"]["network_updates"]),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule hmm_phone_graph:
    input:
        model="<results>/{place}/model.safetensors",
        fst=place_text(f"phone_lm/{plan.text.selection_order}gram.fst"),
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
    params:
        call="hmm.graph:phone_graph",
    script:
        "../scripts/call.py"


rule hmm_word_graph:
    input:
        model="<results>/{place}/model.safetensors",
        fst=place_text("word_lm/lm.fst"),
        word_symbols=place_text("word_lm/words.txt"),
        lexiconp=place_text("lexicon/lexiconp.txt"),
        spelling=plan.hmm.spelling,
    output:
        graph="<results>/{place}/{lm}/graph.safetensors",
    log:
        "<logs>/{place}/{lm}/hmm_graph.log",
    benchmark:
        "<benchmarks>/{place}/{lm}/hmm_graph.tsv"
    wildcard_constraints:
        lm="words|open",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="2h",
    params:
        call="hmm.graph:word_graph",
        silence=section("silence"),
        unknown_probability=config["hmm"]["unknown_probability"],
    script:
        "../scripts/call.py"


rule hmm_tune:
    input:
        features=plan.hmm.store("valid"),
        model="<results>/{place}/model.safetensors",
        graph="<results>/{place}/{lm}/graph.safetensors",
        labels=plan.hmm.tuning_labels,
        partners=plan.hmm.partners("model.safetensors"),
        partner_graphs=plan.hmm.partners("{lm}/graph.safetensors"),
        arpa=place_text(f"phone_lm/{plan.text.selection_order}gram.arpa"),
        before=plan.hmm.before("{labels}/tuning.parquet"),
        before_weights=plan.hmm.before("{labels}/weights.json"),
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
        call="hmm.tune:hmm_tune",
        settled=config["hmm"]["settled"],
        grid=section("hmm"),
        search=section("hmm"),
        silence=section("silence"),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule hmm_decode:
    input:
        features=plan.hmm.store("{split}"),
        model="<results>/{place}/model.safetensors",
        graph="<results>/{place}/{lm}/graph.safetensors",
        weights="<results>/{place}/{lm}/weights.json",
        before=plan.hmm.before("{labels}/{split}.parquet"),
        before_weights=plan.hmm.before("{labels}/weights.json"),
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
        call="hmm.decode:hmm_decode",
        settled=config["hmm"]["settled"],
        search=section("hmm"),
    script:
        "../scripts/call.py"


# The best cycle is the one with the lowest discrepancy from the text; one cycle alone is taken as it is.
rule hmm_select:
    input:
        models=plan.hmm.ends("model.safetensors"),
        decoded=plan.hmm.rivals(),
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
        call="selection.cycle:hmm_select",
        match=section("match"),
    script:
        "../scripts/call.py"


# Alignments of one cycle are the segments on which the next cycle's mapping is learned.
rule hmm_segments:
    input:
        frames="<results>/pca/train.npy",
        features=plan.hmm.store("train"),
        model=plan.hmm.end("{cycle}", "model.safetensors"),
        decoded=plan.hmm.end("{cycle}", f"{plan.hmm.labels[-1]}/train.parquet"),
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
    params:
        call="hmm.segments:hmm_segments",
    script:
        "../scripts/call.py"


use rule match_round as match_cycle with:
    input:
        segments=cycle_before("segments.npy"),
        previous=cycle_before("labels.npy"),
        phones_text="<results>/silence/phones.txt",
        phones="<results>/phonemize/phones.txt",
    output:
        labels="<results>/hmm/cycle{cycle}/mapping/labels.npy",
        index="<results>/hmm/cycle{cycle}/mapping/labels.parquet",
        objectives="<results>/hmm/cycle{cycle}/mapping/objectives.parquet",
    log:
        "<logs>/hmm/cycle{cycle}/match.log",
    benchmark:
        "<benchmarks>/hmm/cycle{cycle}/match.tsv"
    params:
        settings=section("match"),
        seed=plan.matching.seeds[0],


use rule acoustic_round as acoustic_cycle with:
    input:
        frames="<results>/pca/train.npy",
        boundaries=cycle_before("boundaries.parquet"),
        labels="<results>/hmm/cycle{cycle}/mapping/labels.npy",
        arpa=plan.text.search_lm,
        phones="<results>/phonemize/phones.txt",
    output:
        model="<results>/hmm/cycle{cycle}/mapping/model.safetensors",
    log:
        "<logs>/hmm/cycle{cycle}/acoustic.log",
    benchmark:
        "<benchmarks>/hmm/cycle{cycle}/acoustic.tsv"
    params:
        settings=section("acoustic"),
        decode=section("decode"),
        seed=plan.matching.seeds[0],


use rule decode_round as decode_cycle with:
    input:
        frames="<results>/pca/{split}.npy",
        model="<results>/hmm/cycle{cycle}/mapping/model.safetensors",
        arpa=plan.text.search_lm,
    output:
        decoded="<results>/hmm/cycle{cycle}/mapping/{split}.parquet",
    log:
        "<logs>/hmm/cycle{cycle}/decode.{split}.log",
    benchmark:
        "<benchmarks>/hmm/cycle{cycle}/decode.{split}.tsv"


rule words_split:
    input:
        features=plan.hmm.store("{split}"),
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
        call="hmm.words:words",
        settings=section("words"),
        search=section("hmm"),
    script:
        "../scripts/call.py"
