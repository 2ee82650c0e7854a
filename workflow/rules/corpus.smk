"""The corpus: recordings, unpaired text and, in files of their own, the references."""

if plan.corpus.spoken:

    # Sentences and phones are known only during synthesis, so this rule writes the references as well.
    rule make_corpus:
        output:
            recordings="<results>/corpus/recordings.parquet",
            text="<results>/corpus/text.txt",
            audio=directory("<results>/corpus/audio"),
            references_train="<results>/references/train.parquet",
            references_valid="<results>/references/valid.parquet",
            references_test="<results>/references/test.parquet",
        log:
            "<logs>/corpus.log",
        benchmark:
            "<benchmarks>/corpus.tsv"
        conda:
            "../../envs/cpu.yaml"
        threads: 2
        resources:
            mem_mb=2000,
            runtime="2h",
        params:
            call="corpora.build:write_spoken",
            reader=f"corpora.{plan.corpus.kind}:make_corpus",
            settings=plan.corpus.settings,
            seed=config["corpus"]["seed"],
            sample_rate_hz=RATE,
            language=plan.corpus.spoken_language,
        script:
            "../scripts/call.py"

else:

    # Two rules, so that new lines of text leave the audio alone, and new recordings the text.
    rule make_corpus:
        input:
            phone_map=project_file(PROJECT / "resources/timit-60-39.tsv"),
        output:
            recordings="<results>/corpus/recordings.parquet",
            audio=directory("<results>/corpus/audio"),  # of pieces of long recordings
            cuts="<results>/corpus/cuts.parquet",
        log:
            "<logs>/corpus.log",
        benchmark:
            "<benchmarks>/corpus.tsv"
        conda:
            "../../envs/cpu.yaml"
        threads: 2
        resources:
            mem_mb=2000,
            runtime="12h",
        params:
            call="corpora.build:write_recorded",
            reader=f"corpora.{plan.corpus.kind}:make_corpus",
            settings=plan.corpus.untranscribed_settings,
            cutting=section("audio"),
            vad=section("vad"),
            state=plan.corpus.state,
            seed=config["corpus"]["seed"],
            sample_rate_hz=RATE,
        script:
            "../scripts/call.py"

    rule make_text:
        input:
            phone_map=project_file(PROJECT / "resources/timit-60-39.tsv"),
            given=plan.corpus.text,
        output:
            text="<results>/corpus/text.txt",
        log:
            "<logs>/text.log",
        benchmark:
            "<benchmarks>/text.tsv"
        conda:
            "../../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime="2h",
        params:
            call="corpora.build:write_unpaired",
            reader=f"corpora.{plan.corpus.kind}:make_corpus",
            settings=plan.corpus.untranscribed_settings,
            seed=config["corpus"]["seed"],
        script:
            "../scripts/call.py"

    rule make_references:
        input:
            phone_map=project_file(PROJECT / "resources/timit-60-39.tsv"),
            recordings="<results>/corpus/recordings.parquet",
            given=[*plan.corpus.transcripts, *plan.text.own_lexicon],
        output:
            references_train="<results>/references/train.parquet",
            references_valid="<results>/references/valid.parquet",
            references_test="<results>/references/test.parquet",
        log:
            "<logs>/references.log",
        benchmark:
            "<benchmarks>/references.tsv"
        conda:
            "../../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime="1h",
        params:
            call="corpora.references:write_references",
            reader=f"corpora.{plan.corpus.kind}:make_references",
            settings=plan.corpus.settings,
            state=plan.corpus.state,
            language=config["corpus"]["language"],
            phonemize=section("phonemize"),
        script:
            "../scripts/call.py"
