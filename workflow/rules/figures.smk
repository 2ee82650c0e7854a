"""The figures, one rule per entry of the table in unscribed/figures/table.py, and the page that shows the whole run."""

FIGURE_PARAMS = {"settings": section("report"), "sample_rate_hz": RATE, "hop_ms": HOP_MS}

for figure in FIGURES:

    rule:
        name:
            figure.rule
        input:
            **plan.figures.inputs(figure),
        output:
            figure=report(
                figure.output,
                category=figure.category,
                caption=f"../report/{figure.name}.rst",
                labels=figure.labels,
            ),
        log:
            f"<logs>/figures.{figure.stem}.log",
        benchmark:
            f"<benchmarks>/figures.{figure.stem}.tsv"
        conda:
            "../../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime="10m",
        params:
            **{name: FIGURE_PARAMS[name] for name in figure.params},
            call=figure.call,
        script:
            "../scripts/call.py"


rule page:
    input:
        metrics="<results>/metrics.json",
        verdict="<results>/verdict.json",
        figures=plan.figures.drawn,
        captions=[project_file(PROJECT / f"workflow/report/{figure.name}.rst") for figure in FIGURES],
        words="<results>/words/test.parquet",
        scored="<results>/evaluate/word_utterances.parquet",
        manifest="<results>/manifest/test.parquet",
        template=project_file(PROJECT / "workflow/report/page.html.jinja"),
    output:
        page="<results>/report.html",
    log:
        "<logs>/page.log",
    benchmark:
        "<benchmarks>/page.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        call="report.page:page",
        configuration=config,
        sample_rate_hz=RATE,
    script:
        "../scripts/call.py"
