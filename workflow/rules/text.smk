"""From unpaired text to phones and their language model: normalize, phonemize, silence, lexicon, phone_lm."""


# Text that is phones already must not go through the cleaning of words: it would take their digits for numbers.
if config["phonemize"]["backend"] == "phones":
    CLEAN_TEXT = RESULTS + "/corpus/text.txt"
else:
    CLEAN_TEXT = RESULTS + "/normalize/text.txt"


rule normalize:
    input:
        code=code("text/normalize"),
        text=RESULTS + "/corpus/text.txt",
    output:
        normalized=RESULTS + "/normalize/text.txt",
        report=RESULTS + "/normalize/report.json",
    log:
        LOGS + "/normalize.log",
    benchmark:
        BENCHMARKS + "/normalize.tsv"
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
        code=code("text/phonemize"),
        text=CLEAN_TEXT,
    output:
        lexicon=RESULTS + "/phonemize/lexicon.parquet",
        sentences=RESULTS + "/phonemize/sentences.parquet",
        phones=RESULTS + "/phonemize/phones.txt",
        report=RESULTS + "/phonemize/report.json",
    log:
        LOGS + "/phonemize.log",
    benchmark:
        BENCHMARKS + "/phonemize.tsv"
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
        sentences=RESULTS + "/phonemize/sentences.parquet",
    output:
        phones_text=RESULTS + "/silence/phones.txt",
    log:
        LOGS + "/silence.log",
    benchmark:
        BENCHMARKS + "/silence.tsv"
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
        code=code("text/lexicon"),
        lexicon_table=RESULTS + "/phonemize/lexicon.parquet",
        phones=RESULTS + "/phonemize/phones.txt",
    output:
        lexicon=RESULTS + "/lexicon/lexicon.txt",
    log:
        LOGS + "/lexicon.log",
    benchmark:
        BENCHMARKS + "/lexicon.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="30m",
    script:
        "../scripts/lexicon.py"


rule phone_lm:
    input:
        code=code("text/phone_lm", "text/arpa"),
        phones_text=RESULTS + "/silence/phones.txt",
    output:
        arpa=RESULTS + "/phone_lm/lm.arpa",
        report=RESULTS + "/phone_lm/report.json",
    log:
        LOGS + "/phone_lm.log",
    benchmark:
        BENCHMARKS + "/phone_lm.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="2h",
    params:
        settings=config["phone_lm"],
        seed=config["corpus"]["seed"],
    script:
        "../scripts/phone_lm.py"
