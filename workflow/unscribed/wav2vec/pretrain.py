"""Stage pretrain: wav2vec 2.0 on the audio of a corpus, or XLSR on that of several (arXiv 2006.11477, 2006.13979).

With several GPUs the stage starts itself once for each of them by torchrun; the processes share every update.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2ForPreTraining

from unscribed.artifacts import Pathlike, atomic_folder, read_json, write_json, write_table
from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError
from unscribed.wav2vec.contrastive import ContrastiveModel, Objective
from unscribed.wav2vec.model_config import read_model_config
from unscribed.wav2vec.pretrain_job import LOSSES, PretrainJob, PretrainSettings
from unscribed.wav2vec.sampling import Languages
from unscribed.wav2vec.waveform import Speech, receptive_field

log = logging.getLogger(__name__)

SHORTEST_SPANS = 2  # of masked frames: shorter utterances leave no context and too few distractors
AUTOCAST = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}
MEASURES = [*LOSSES, *(f"valid_{name}" for name in LOSSES)]
LISTS = ("manifests", "vads", "valid_manifests", "valid_vads", "languages")  # Snakemake's lists are no JSON lists
CURVES_SCHEMA = [
    *(("update", pa.int64()), ("seconds", pa.float64()), ("heard_hours", pa.float64())),
    *((name, pa.float64()) for name in MEASURES),
    *(("valid_perplexities", pa.list_(pa.float64())), ("gradient_norm", pa.float64())),
    *(("learning_rate", pa.float64()), ("temperature", pa.float64()), ("status", pa.string())),
]


def pretrain(
    *,
    manifests: Sequence[str],
    vads: Sequence[str],
    valid_manifests: Sequence[str],
    valid_vads: Sequence[str],
    languages: Sequence[str],
    sizes: Pathlike,
    settings: PretrainSettings,
    alpha: float,
    sample_rate_hz: int,
    threads: int,
    model: Pathlike,
    curves: Pathlike,
) -> None:
    """Pretrain a model on the speech of `languages`, one manifest and vad table each; write it and its curves.

    `sizes` is a file of config/models; `model` becomes a folder that transformers loads (Wav2Vec2ForPreTraining). A
    killed job goes on where its last check was. Raises UserError for sizes that do not fit together, a GPU that is not
    there, a full memory, audio too short to mask, and a loss that is not finite.
    """
    job = {**locals(), "settings": asdict(settings)}
    device_of(settings.device, "pretrain.device")
    if settings.device == "cpu" and settings.precision == "float16":
        raise UserError("pretrain.precision: float16 needs a GPU; set bfloat16 or float32, or pretrain.device: cuda.")
    if settings.device == "cuda" and settings.processes > torch.cuda.device_count():
        raise UserError(
            f"pretrain.processes is {settings.processes}, but this machine has {torch.cuda.device_count()} GPUs: "
            "lower it."
        )
    if settings.processes == 1:
        train(**job)
    else:
        _launch(job, settings.processes, Path(curves).with_name("job.json"))


def train(
    *,
    manifests: Sequence[str],
    vads: Sequence[str],
    valid_manifests: Sequence[str],
    valid_vads: Sequence[str],
    languages: Sequence[str],
    sizes: Pathlike,
    settings: dict,
    alpha: float,
    sample_rate_hz: int,
    threads: int,
    model: Pathlike,
    curves: Pathlike,
) -> None:
    """The same in this process, which may be one of several."""
    wanted = PretrainSettings(**settings)
    torch.set_num_threads(max(1, threads // wanted.processes))
    config = read_model_config(sizes)
    accelerator = Accelerator(
        mixed_precision=AUTOCAST[wanted.precision],
        gradient_accumulation_steps=wanted.accumulation,
        cpu=wanted.device == "cpu",
        # layers that layerdrop skips have no gradients in some processes
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=config.layerdrop > 0)],
    )
    field, hop = receptive_field(config.conv_kernel, config.conv_stride)
    shortest = field + hop * (SHORTEST_SPANS * wanted.mask_frames - 1)
    longest = round(wanted.max_seconds * sample_rate_hz)
    parts = {}
    for split, tables in {"train": (manifests, vads), "valid": (valid_manifests, valid_vads)}.items():
        speech = [Speech(*files, sample_rate_hz) for files in zip(*tables, strict=True)]
        try:
            batch = wanted.batch_seconds * sample_rate_hz
            parts[split] = Languages(languages, speech, shortest, longest, alpha, batch, wanted.seed)
        except ValueError as error:
            raise UserError(
                f"no {split} utterance of {error} is as long as pretraining needs ({shortest / sample_rate_hz:.2f} s, "
                "two masks): lower pretrain.mask_frames, or give it longer audio."
            ) from error
    if accelerator.is_main_process:
        _describe(parts["train"], sample_rate_hz)
    torch.manual_seed(wanted.seed)
    objective = Objective(**{name: getattr(wanted, name) for name in Objective.__dataclass_fields__})
    network = ContrastiveModel(Wav2Vec2ForPreTraining(config), objective)
    log.info("%.1f M parameters", sum(weight.numel() for weight in network.parameters()) / 1e6)
    job = PretrainJob(network, parts["train"], parts["valid"], wanted, accelerator, max(1, threads // 2))
    state = Path(curves).with_name("state.safetensors")
    job.resume(state)
    with out_of_memory("pretrain.batch_seconds", wanted.batch_seconds):
        job.run(state)
    if accelerator.is_main_process:
        _write(job, sample_rate_hz, model, curves)
        state.unlink(missing_ok=True)
    accelerator.end_training()


def _describe(audio: Languages, sample_rate_hz: int) -> None:
    """Hours and shares of the languages, for the log."""
    rows = zip(audio.names, audio.amounts, audio.probabilities, audio.left_out, strict=True)
    for name, amount, share, left_out in rows:
        hours = amount / sample_rate_hz / 3600
        log.info("%s: %.2f h, %.0f %% of the batches, %d too short", name, hours, 100 * share, left_out)


def _write(job: PretrainJob, sample_rate_hz: int, model: Pathlike, curves: Pathlike) -> None:
    with atomic_folder(model) as folder:
        job.plain.model.save_pretrained(folder)
        Wav2Vec2FeatureExtractor(
            sampling_rate=sample_rate_hz, do_normalize=True, return_attention_mask=True
        ).save_pretrained(folder)
    write_table(curves, {name: [row.get(name) for row in job.rows] for name, _ in CURVES_SCHEMA}, CURVES_SCHEMA)
    if job.rows and job.rows[-1]["status"] != "ok":
        log.warning("the training ended with a collapsed codebook: see %s", curves)


def _launch(job: dict, processes: int, path: Path) -> None:
    """Start `processes` of this module by torchrun, and pass on what they log and the UserError that ends them."""
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in job.items()}
    write_json(path, {name: list(value) if name in LISTS else value for name, value in plain.items()})
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    said = ""
    with subprocess.Popen(
        [*command, "-m", "unscribed.wav2vec.pretrain", str(path)], stderr=subprocess.PIPE, text=True
    ) as child:
        for line in child.stderr or ():
            log.info("%s", line.rstrip())
            said = line.removeprefix("error: ").strip() if line.startswith("error: ") else said
    path.unlink(missing_ok=True)
    if said:
        raise UserError(said)
    if child.returncode:
        raise RuntimeError(f"torchrun ended with status {child.returncode}")


def _main(path: str) -> None:
    """One of several processes."""
    first = os.environ.get("RANK", "0") == "0"  # of torchrun's processes, the one that speaks
    logging.basicConfig(level=logging.INFO if first else logging.ERROR, format="%(message)s", stream=sys.stderr)
    try:
        train(**read_json(path))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)


if __name__ == "__main__":
    _main(sys.argv[1])
