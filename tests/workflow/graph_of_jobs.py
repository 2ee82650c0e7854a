"""Print the graph of jobs as JSON: graph_of_jobs.py SNAKEFILE CONFIGFILE [TARGET …].

Snakemake's own exports (--dag, --rulegraph, --d3dag) know rules but not which file of a rule another one reads.
"""

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings


def environment(spec):
    """Name of the file of a conda environment, None if there is none."""
    return Path(spec.file.get_path_or_uri(secret_free=True)).name if spec else None


def main(snakefile, configfile, *targets):
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=2),
            config_settings=ConfigSettings(configfiles=[Path(configfile)]),
            snakefile=Path(snakefile),
        )
        with redirect_stdout(io.StringIO()):
            workflow.dag(DAGSettings(targets=frozenset(targets), forceall=True)).printd3dag()  # builds the graph
        jobs = list(workflow._workflow.dag.jobs)
        numbers = {job: number for number, job in enumerate(jobs)}
        described = [
            {
                "rule": job.rule.name,
                "local": job.rule.norun or job.rule.name in workflow._workflow._localrules,
                "input": list(map(str, job.input)),
                "output": list(map(str, job.output)),
                "log": list(map(str, job.log)),
                "benchmark": str(job.benchmark) if job.benchmark else None,
                "params": str(dict(job.params.items())),
                "resources": sorted(job.rule.resources),
                "gpus": job.resources.get("gpu", 0),
                "environment": environment(job.conda_env_spec),
                "needs": sorted(numbers[other] for other in workflow._workflow.dag.dependencies[job]),
            }
            for job in jobs
        ]
    json.dump(described, sys.stdout)


main(*sys.argv[1:])
