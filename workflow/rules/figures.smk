"""The figures of the report: one rule per entry of the table in unscribed/figures/table.py."""

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
