"""Decoding of fine-tuned models: beam search with word n-grams over the lexicon, then rescoring by a Transformer.

Weights are chosen on the split valid: by its transcripts for models trained on transcripts, by the
label-free score for those trained on pseudo-labels.
"""

TRANSFORMER_GPU = int(config["transformer_lm"]["device"] == "cuda")


rule transformer_lm:
    input:
        sentences="<results>/phonemize/sentences.parquet",
        words="<results>/word_lm/words.txt",
    output:
        model=directory("<results>/transformer_lm/model"),
        report="<results>/transformer_lm/report.json",
    log:
        "<logs>/transformer_lm.log",
    benchmark:
        "<benchmarks>/transformer_lm.tsv"
    conda:
        environment(config["transformer_lm"]["device"])
    threads: 2
    resources:
        mem_mb=4000,
        runtime="12h",
        gpu=TRANSFORMER_GPU,
    params:
        call="text.transformer_lm:transformer_lm",
        ngram=section("word_lm"),
        settings=section("transformer_lm"),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule ctc_graph:
    input:
        log_probs="<results>/finetune/{labels}/log_probs/valid.npy",
        index="<results>/finetune/{labels}/log_probs/valid.parquet",
        fst="<results>/word_lm/lm.fst",
        word_symbols="<results>/word_lm/words.txt",
        lexiconp="<results>/lexicon/lexiconp.txt",
    output:
        graph="<results>/finetune/{labels}/ngram/graph.safetensors",
    log:
        "<logs>/finetune/{labels}/ctc_graph.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/ctc_graph.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="2h",
    params:
        call="ctc.graph:ctc_graph",
    script:
        "../scripts/call.py"


rule ctc_tune:
    input:
        log_probs="<results>/finetune/{labels}/log_probs/valid.npy",
        index="<results>/finetune/{labels}/log_probs/valid.parquet",
        graph="<results>/finetune/{labels}/ngram/graph.safetensors",
        word_symbols="<results>/word_lm/words.txt",
        arpa="<results>/word_lm/lm.arpa",
        references=valid_transcripts,
        pseudo_labels=valid_pseudo_labels,
    output:
        tuning="<results>/finetune/{labels}/ngram/tuning.parquet",
        weights="<results>/finetune/{labels}/ngram/weights.json",
    log:
        "<logs>/finetune/{labels}/ctc_tune.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/ctc_tune.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="4h",
    params:
        call="ctc.tune:ctc_tune",
        language=config["corpus"]["language"],
        grid=section("ctc"),
        search=section("ctc"),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule ctc_ngram:
    input:
        log_probs="<results>/finetune/{labels}/log_probs/{split}.npy",
        index="<results>/finetune/{labels}/log_probs/{split}.parquet",
        graph="<results>/finetune/{labels}/ngram/graph.safetensors",
        weights="<results>/finetune/{labels}/ngram/weights.json",
        lexiconp="<results>/lexicon/lexiconp.txt",
        word_symbols="<results>/word_lm/words.txt",
        arpa="<results>/word_lm/lm.arpa",
    output:
        words="<results>/finetune/{labels}/ngram/{split}.parquet",
        nbest="<results>/finetune/{labels}/ngram/{split}.nbest.parquet",
    log:
        "<logs>/finetune/{labels}/ngram.{split}.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/ctc_ngram.{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="12h",
    params:
        call="ctc.decode:ctc_ngram",
        settings=section("ctc"),
        search=section("ctc"),
    script:
        "../scripts/call.py"


rule ctc_transformer_tune:
    input:
        nbest="<results>/finetune/{labels}/ngram/valid.nbest.parquet",
        model="<results>/transformer_lm/model",
        references=valid_transcripts,
        pseudo_labels=valid_pseudo_labels,
    output:
        tuning="<results>/finetune/{labels}/transformer/tuning.parquet",
        weights="<results>/finetune/{labels}/transformer/weights.json",
    log:
        "<logs>/finetune/{labels}/ctc_transformer_tune.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/ctc_transformer_tune.tsv"
    conda:
        environment(config["transformer_lm"]["device"])
    threads: 2
    resources:
        mem_mb=4000,
        runtime="4h",
        gpu=TRANSFORMER_GPU,
    params:
        call="ctc.rescore_tune:ctc_transformer_tune",
        language=config["corpus"]["language"],
        settings=section("ctc"),
        lm_settings=section("transformer_lm"),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule ctc_transformer:
    input:
        nbest="<results>/finetune/{labels}/ngram/{split}.nbest.parquet",
        log_probs="<results>/finetune/{labels}/log_probs/{split}.npy",
        index="<results>/finetune/{labels}/log_probs/{split}.parquet",
        model="<results>/transformer_lm/model",
        weights="<results>/finetune/{labels}/transformer/weights.json",
        lexiconp="<results>/lexicon/lexiconp.txt",
        word_symbols="<results>/word_lm/words.txt",
    output:
        words="<results>/finetune/{labels}/transformer/{split}.parquet",
    log:
        "<logs>/finetune/{labels}/transformer.{split}.log",
    benchmark:
        "<benchmarks>/finetune/{labels}/ctc_transformer.{split}.tsv"
    conda:
        environment(config["transformer_lm"]["device"])
    threads: 2
    resources:
        mem_mb=4000,
        runtime="12h",
        gpu=TRANSFORMER_GPU,
    params:
        call="ctc.rescore:ctc_transformer",
        lm_settings=section("transformer_lm"),
    script:
        "../scripts/call.py"
