"""From unpaired text to phones, lexicon and language models: normalize, phonemize, silence, lexicon, phone_lm, word_lm."""


rule normalize:
    input:
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
        call="text.normalize:normalize",
        settings=section("normalize"),
        language=config["corpus"]["language"],
    script:
        "../scripts/call.py"


rule phonemize:
    input:
        text=plan.text.clean,
        given=plan.text.own_lexicon,
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
        call="text.phonemize:phonemize",
        settings=section("phonemize"),
        language=config["corpus"]["language"],
    script:
        "../scripts/call.py"


rule silence:
    input:
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
        call="text.silence:silence",
        settings=section("silence"),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule lexicon:
    input:
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
        call="text.lexicon:lexicon",
        settings=section("lexicon"),
    script:
        "../scripts/call.py"


rule phone_lm_order:
    input:
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
        call="text.phone_lm:phone_lm",
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule word_lm:
    input:
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
        call="text.word_lm:word_lm",
        settings=section("word_lm"),
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"


rule spelling_lm:
    input:
        lexicon="<results>/lexicon/lexiconp.txt",
        phones="<results>/phonemize/phones.txt",
    output:
        arpa="<results>/word_lm/spelling.arpa",
        fst="<results>/word_lm/spelling.fst",
        report="<results>/word_lm/spelling.json",
    log:
        "<logs>/word_lm.spelling.log",
    benchmark:
        "<benchmarks>/word_lm.spelling.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
    params:
        call="text.word_lm:spelling_lm",
        seed=config["corpus"]["seed"],
    script:
        "../scripts/call.py"
