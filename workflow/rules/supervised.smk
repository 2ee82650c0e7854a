"""The topline: a traditional recogniser, GMM-HMM with transcripts, lexicon and n-grams. `snakemake supervised` makes it.

W* = argmax Σ_Q p(F|Q) p(Q|W) p(W) for frames F, phones Q and words W: the same features, HMMs and search as without
labels. Only the labels differ, and the text, to which the transcripts are added. No unsupervised stage reads a file of
these rules.
"""


rule supervised_text:
    input:
        references=plan.corpus.references("train"),
        text=plan.text.clean,
    output:
        joined="<results>/supervised/text.txt",
    log:
        "<logs>/supervised/text.log",
    benchmark:
        "<benchmarks>/supervised/supervised_text.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="30m",
    params:
        call="supervised.text:supervised_text",
        language=config["corpus"]["language"],
    script:
        "../scripts/call.py"


use rule phonemize as supervised_phonemize with:
    input:
        text="<results>/supervised/text.txt",
    output:
        lexicon="<results>/supervised/phonemize/lexicon.parquet",
        sentences="<results>/supervised/phonemize/sentences.parquet",
        phones="<results>/supervised/phonemize/phones.txt",
        report="<results>/supervised/phonemize/report.json",
    log:
        "<logs>/supervised/phonemize.log",
    benchmark:
        "<benchmarks>/supervised/phonemize.tsv"


use rule silence as supervised_silence with:
    input:
        sentences="<results>/supervised/phonemize/sentences.parquet",
    output:
        phones_text="<results>/supervised/silence/phones.txt",
    log:
        "<logs>/supervised/silence.log",
    benchmark:
        "<benchmarks>/supervised/silence.tsv"


use rule lexicon as supervised_lexicon with:
    input:
        lexicon_table="<results>/supervised/phonemize/lexicon.parquet",
        sentences="<results>/supervised/phonemize/sentences.parquet",
        phones="<results>/supervised/phonemize/phones.txt",
        text_report="<results>/supervised/phonemize/report.json",
    output:
        lexicon="<results>/supervised/lexicon/lexicon.txt",
        lexiconp="<results>/supervised/lexicon/lexiconp.txt",
    log:
        "<logs>/supervised/lexicon.log",
    benchmark:
        "<benchmarks>/supervised/lexicon.tsv"


use rule phone_lm_order as supervised_phone_lm with:
    input:
        phones_text="<results>/supervised/silence/phones.txt",
        phones="<results>/supervised/phonemize/phones.txt",
    output:
        arpa="<results>/supervised/phone_lm/{order}gram.arpa",
        fst="<results>/supervised/phone_lm/{order}gram.fst",
        report="<results>/supervised/phone_lm/{order}gram.json",
    log:
        "<logs>/supervised/phone_lm.{order}gram.log",
    benchmark:
        "<benchmarks>/supervised/phone_lm.{order}gram.tsv"


use rule word_lm as supervised_word_lm with:
    input:
        sentences="<results>/supervised/phonemize/sentences.parquet",
        lexicon="<results>/supervised/lexicon/lexiconp.txt",
    output:
        arpa="<results>/supervised/word_lm/lm.arpa",
        fst="<results>/supervised/word_lm/lm.fst",
        words="<results>/supervised/word_lm/words.txt",
        report="<results>/supervised/word_lm/report.json",
    log:
        "<logs>/supervised/word_lm.log",
    benchmark:
        "<benchmarks>/supervised/word_lm.tsv"


rule supervised_labels:
    input:
        references=plan.corpus.references("train"),
        features=plan.hmm.store("train"),
        lexiconp="<results>/supervised/lexicon/lexiconp.txt",
    output:
        labels="<results>/supervised/labels/train.parquet",
    log:
        "<logs>/supervised/labels.log",
    benchmark:
        "<benchmarks>/supervised/supervised_labels.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="30m",
    params:
        call="supervised.labels:flat_labels",
        language=config["corpus"]["language"],
    script:
        "../scripts/call.py"


rule supervised_valid_labels:
    input:
        references=plan.corpus.references("valid"),
        features=plan.hmm.store("valid"),
    output:
        labels="<results>/supervised/labels/valid.parquet",
    log:
        "<logs>/supervised/labels.valid.log",
    benchmark:
        "<benchmarks>/supervised/supervised_valid_labels.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="30m",
    params:
        call="supervised.labels:reference_phones",
    script:
        "../scripts/call.py"


use rule hmm_train as supervised_train with:
    input:
        features=plan.hmm.store("train"),
        labels=supervised_step_labels,
        phones="<results>/supervised/phonemize/phones.txt",
    output:
        model="<results>/supervised/step{step}/model.safetensors",
    log:
        "<logs>/supervised/step{step}/hmm_train.log",
    benchmark:
        "<benchmarks>/supervised/step{step}/hmm_train.tsv"


rule supervised_align:
    input:
        references=plan.corpus.references("train"),
        features=plan.hmm.store("train"),
        model="<results>/supervised/step{step}/model.safetensors",
        lexiconp="<results>/supervised/lexicon/lexiconp.txt",
        word_symbols="<results>/supervised/word_lm/words.txt",
    output:
        aligned="<results>/supervised/step{step}/aligned/train.parquet",
    log:
        "<logs>/supervised/step{step}/align.log",
    benchmark:
        "<benchmarks>/supervised/step{step}/supervised_align.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="8h",
    params:
        call="supervised.align:word_alignment",
        silence=section("silence"),
        language=config["corpus"]["language"],
    script:
        "../scripts/call.py"


use rule words_split as supervised_words with:
    input:
        features=plan.hmm.store("{split}"),
        model=f"<results>/supervised/step{plan.hmm.last_step}/model.safetensors",
        graph=f"<results>/supervised/step{plan.hmm.last_step}/words/graph.safetensors",
        weights=f"<results>/supervised/step{plan.hmm.last_step}/words/weights.json",
        lexiconp="<results>/supervised/lexicon/lexiconp.txt",
        word_symbols="<results>/supervised/word_lm/words.txt",
    output:
        words="<results>/supervised/words/{split}.parquet",
    log:
        "<logs>/supervised/words.{split}.log",
    benchmark:
        "<benchmarks>/supervised/words.{split}.tsv"


use rule evaluate_hmm as supervised_evaluate_hmm with:
    input:
        decodes=expand("<results>/supervised/step{step}/phones/test.parquet", step=range(1, plan.hmm.last_step + 1)),
        weights=expand("<results>/supervised/step{step}/phones/weights.json", step=range(1, plan.hmm.last_step + 1)),
        references=plan.corpus.references("test"),
        manifest="<results>/manifest/test.parquet",
        vad="<results>/vad/test.parquet",
    output:
        metrics="<results>/supervised/evaluate/hmm.json",
        confusions="<results>/supervised/evaluate/confusions.parquet",
    log:
        "<logs>/supervised/evaluate.hmm.log",
    benchmark:
        "<benchmarks>/supervised/evaluate.hmm.tsv"


use rule evaluate_words as supervised_evaluate_words with:
    input:
        words=expand("<results>/supervised/words/{split}.parquet", split=EVALUATED),
        references=plan.corpus.references(*EVALUATED),
        manifests=expand("<results>/manifest/{split}.parquet", split=EVALUATED),
        vad="<results>/vad/test.parquet",
        lexicon="<results>/supervised/lexicon/lexicon.txt",
        sentences="<results>/supervised/phonemize/sentences.parquet",
    output:
        metrics="<results>/supervised/evaluate/words.json",
        word_errors="<results>/supervised/evaluate/word_errors.parquet",
        utterances="<results>/supervised/evaluate/word_utterances.parquet",
    log:
        "<logs>/supervised/evaluate.words.log",
    benchmark:
        "<benchmarks>/supervised/evaluate.words.tsv"
