"""From unpaired text to phones, lexicon and language models: normalize, phonemize, silence, lexicon, phone_lm, word_lm."""

# Text that is phones already must not go through the cleaning of words: it would take their digits for numbers.
if config["phonemize"]["backend"] == "phones":
    CLEAN_TEXT = "<results>/corpus/text.txt"
else:
    CLEAN_TEXT = "<results>/normalize/text.txt"


rule normalize:
    input:
        code=code("text/normalize"),
        text="<results>/corpus/text.txt",
    output:
        normalized="<results>/normalize/text.txt",
        report="<results>/normalize/report.json",
    log:
        "<logs>/normalize.log",
    benchmark:
        "<benchmarks>/normalize.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        settings=config["normalize"],
        language=config["corpus"]["language"],
    script:
        "../scripts/normalize.py"


rule phonemize:
    input:
        code=code("text/phonemize", "text/variants"),
        text=CLEAN_TEXT,
    output:
        lexicon="<results>/phonemize/lexicon.parquet",
        sentences="<results>/phonemize/sentences.parquet",
        phones="<results>/phonemize/phones.txt",
        report="<results>/phonemize/report.json",
    log:
        "<logs>/phonemize.log",
    benchmark:
        "<benchmarks>/phonemize.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="2h",
    params:
        settings=config["phonemize"],
        language=config["corpus"]["language"],
    script:
        "../scripts/phonemize.py"


rule silence:
    input:
        code=code("text/silence"),
        sentences="<results>/phonemize/sentences.parquet",
    output:
        phones_text="<results>/silence/phones.txt",
    log:
        "<logs>/silence.log",
    benchmark:
        "<benchmarks>/silence.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        settings=config["silence"],
        seed=config["corpus"]["seed"],
    script:
        "../scripts/silence.py"


rule lexicon:
    input:
        code=code("text/lexicon", "text/variants"),
        lexicon_table="<results>/phonemize/lexicon.parquet",
        sentences="<results>/phonemize/sentences.parquet",
        phones="<results>/phonemize/phones.txt",
        text_report="<results>/phonemize/report.json",
    output:
        lexicon="<results>/lexicon/lexicon.txt",
        lexiconp="<results>/lexicon/lexiconp.txt",
    log:
        "<logs>/lexicon.log",
    benchmark:
        "<benchmarks>/lexicon.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="2h",
    params:
        settings=config["lexicon"],
    script:
        "../scripts/lexicon.py"


rule phone_lm_order:
    input:
        code=code("text/phone_lm", "text/ngram", "text/arpa"),
        phones_text="<results>/silence/phones.txt",
        phones="<results>/phonemize/phones.txt",
    output:
        arpa="<results>/phone_lm/{order}gram.arpa",
        fst="<results>/phone_lm/{order}gram.fst",
        report="<results>/phone_lm/{order}gram.json",
    log:
        "<logs>/phone_lm.{order}gram.log",
    benchmark:
        "<benchmarks>/phone_lm.{order}gram.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="2h",
    params:
        seed=config["corpus"]["seed"],
    script:
        "../scripts/phone_lm.py"


rule word_lm:
    input:
        code=code("text/word_lm", "text/ngram", "text/arpa", "text/prune"),
        sentences="<results>/phonemize/sentences.parquet",
        lexicon="<results>/lexicon/lexiconp.txt",
    output:
        arpa="<results>/word_lm/lm.arpa",
        fst="<results>/word_lm/lm.fst",
        words="<results>/word_lm/words.txt",
        report="<results>/word_lm/report.json",
    log:
        "<logs>/word_lm.log",
    benchmark:
        "<benchmarks>/word_lm.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="2h",
    params:
        settings=config["word_lm"],
        seed=config["corpus"]["seed"],
    script:
        "../scripts/word_lm.py"
