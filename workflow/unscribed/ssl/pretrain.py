"""Stage pretrain: train wav2vec 2.0 or HuBERT on the audio of a corpus, or of several languages (XLSR).

Sources: arXiv 2006.11477 (wav2vec 2.0), 2106.07447 (HuBERT), 2006.13979 (XLSR). With several GPUs, torchrun starts this
module once per GPU, and the processes share the work of every update.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from transformers import HubertModel, Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForPreTraining

from unscribed.artifacts import Pathlike, atomic_folder, read_json, write_json, write_table
from unscribed.devices import device_of, out_of_memory
from unscribed.errors import UserError
from unscribed.ssl.clusters import ClusterModel, ClusterObjective
from unscribed.ssl.contrastive import ContrastiveModel, Objective
from unscribed.ssl.model_config import hubert_config, read_model_config
from unscribed.ssl.pretrain_settings import PretrainSettings
from unscribed.ssl.pretrain_trainer import PretrainTrainer
from unscribed.ssl.sampling import Languages
from unscribed.ssl.targets import Targets, frames_from
from unscribed.ssl.waveform import Speech, receptive_field
from unscribed.tables import REAL, REALS, TEXT, WHOLE

log = logging.getLogger(__name__)

SHORTEST_SPANS = 2  # masked spans that an utterance must have room for, or it has no context and too few distractors
AUTOCAST = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}  # pretrain.precision as accelerate names it
LISTS = ("manifests", "vads", "valid_manifests", "valid_vads", "languages")  # Snakemake's own type of list is no JSON
CURVES_TYPES = {"update": WHOLE, "valid_perplexities": REALS, "status": TEXT}  # other columns are real numbers


def pretrain(
    *,
    manifests: Sequence[str],
    vads: Sequence[str],
    valid_manifests: Sequence[str],
    valid_vads: Sequence[str],
    languages: Sequence[str],
    sizes: Pathlike,
    targets: Pathlike | Sequence[str],
    teacher: str,
    teacher_layer: int,
    settings: PretrainSettings,
    alpha: float,
    sample_rate_hz: int,
    threads: int,
    model: Pathlike,
    curves: Pathlike,
) -> None:
    """Pretrain a model on the speech of `languages`, one manifest and vad table each; write it and its curves.

    The last languages may have no part in the checks: `valid_manifests` and `valid_vads` are then shorter.
    `sizes` is a file such as those of config/models. The objective `clusters` alone uses `targets`, the clusters, and
    `teacher` and its layer, whose frames they cluster (module targets). `model` becomes a folder that transformers
    loads (Wav2Vec2ForPreTraining or HubertModel). A killed job resumes at its last check. Raises UserError for sizes
    that do not fit together, a missing GPU, a full memory, audio too short to mask, and a loss that is not finite.
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
    targets: Pathlike | Sequence[str],
    teacher: str,
    teacher_layer: int,
    settings: dict,
    alpha: float,
    sample_rate_hz: int,
    threads: int,
    model: Pathlike,
    curves: Pathlike,
) -> None:
    """Do the work of `pretrain` in this process, which may be one of several."""
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
    tables = {"train": (manifests, vads), "valid": (valid_manifests, valid_vads)}
    parts = _audio(tables, languages, config, wanted, alpha, sample_rate_hz)
    if accelerator.is_main_process:
        _log_languages(parts["train"], sample_rate_hz)
    torch.manual_seed(wanted.seed)
    if wanted.objective == "clusters":
        source = frames_from(
            teacher, teacher_layer, config.conv_kernel, config.conv_stride, sample_rate_hz, str(accelerator.device)
        )
        network, origin = _hubert(config, wanted, Targets(str(targets), source))
    else:
        network, origin = _wav2vec(config, wanted)
    log.info("%.1f M parameters", sum(weight.numel() for weight in network.parameters()) / 1e6)
    loaders = max(1, threads // 2)
    trainer = PretrainTrainer(network, parts["train"], parts["valid"], wanted, accelerator, loaders, origin)
    state = Path(curves).with_name("state.safetensors")
    trainer.resume(state)
    with out_of_memory("pretrain.batch_seconds", wanted.batch_seconds):
        trainer.run(state)
    if accelerator.is_main_process:
        _write(trainer, sample_rate_hz, model, curves)
        state.unlink(missing_ok=True)
    accelerator.end_training()


def _audio(
    tables: Mapping[str, tuple[Sequence[str], Sequence[str]]],
    languages: Sequence[str],
    config: Wav2Vec2Config,
    settings: PretrainSettings,
    alpha: float,
    sample_rate_hz: int,
) -> dict[str, Languages]:
    """The audio of each split from its manifests and vad tables. Raises UserError if a language has too short audio."""
    field, hop = receptive_field(config.conv_kernel, config.conv_stride)
    shortest = field + hop * (SHORTEST_SPANS * settings.mask_frames - 1)
    longest = round(settings.max_seconds * sample_rate_hz)
    batch = settings.batch_seconds * sample_rate_hz
    parts = {}
    for split, files in tables.items():
        speech = [Speech(manifest, vad, sample_rate_hz) for manifest, vad in zip(*files, strict=True)]
        try:
            names = languages[: len(speech)]
            parts[split] = Languages(names, speech, shortest, longest, alpha, batch, settings.seed)
        except ValueError as error:
            raise UserError(
                f"no {split} utterance of {error} is as long as pretraining needs ({shortest / sample_rate_hz:.2f} s, "
                "two masked spans): lower pretrain.mask_frames, or give longer audio."
            ) from error
    return parts


def _wav2vec(config: Wav2Vec2Config, settings: PretrainSettings) -> tuple[ContrastiveModel, str]:
    """Make a new wav2vec 2.0; return it and the text that tells it from others."""
    objective = Objective(**{name: getattr(settings, name) for name in Objective.__dataclass_fields__})
    return ContrastiveModel(Wav2Vec2ForPreTraining(config), objective), config.to_json_string()


def _hubert(config: Wav2Vec2Config, settings: PretrainSettings, targets: Targets) -> tuple[ClusterModel, str]:
    """Make a new HuBERT; return it and the text that tells it, with its clusters, from others."""
    network = ClusterModel(HubertModel(hubert_config(config)), ClusterObjective(settings.unmasked_weight), targets)
    return network, network.model.config.to_json_string() + targets.digest


def _log_languages(audio: Languages, sample_rate_hz: int) -> None:
    """Log the hours of each language, its share of the batches and its utterances left out."""
    rows = zip(audio.names, audio.amounts, audio.probabilities, audio.left_out, strict=True)
    for name, amount, share, left_out in rows:
        hours = amount / sample_rate_hz / 3600
        log.info("%s: %.2f h, %.0f %% of the batches, %d utterances too short", name, hours, 100 * share, left_out)


def _write(trainer: PretrainTrainer, sample_rate_hz: int, model: Pathlike, curves: Pathlike) -> None:
    with atomic_folder(model) as folder:
        trainer.plain.model.save_pretrained(folder)
        Wav2Vec2FeatureExtractor(
            sampling_rate=sample_rate_hz, do_normalize=True, return_attention_mask=True
        ).save_pretrained(folder)
    write_curves(curves, trainer.rows)
    if trainer.rows[-1]["status"] != "ok":
        log.warning("the training ended with collapsed codes or clusters: see the column status of %s", curves)


def write_curves(path: Pathlike, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one row per check; the columns depend on the objective."""
    schema = [(name, CURVES_TYPES.get(name, REAL)) for name in rows[0]]
    write_table(path, {name: [row[name] for row in rows] for name, _ in schema}, schema)


def _launch(job: dict, processes: int, path: Path) -> None:
    """Start `processes` of this module by torchrun; log their lines. Raises the UserError that ended one of them."""
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in job.items()}
    write_json(path, {name: list(value) if name in LISTS else value for name, value in plain.items()})
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    message = ""
    with subprocess.Popen(
        [*command, "-m", "unscribed.ssl.pretrain", str(path)], stderr=subprocess.PIPE, text=True
    ) as child:
        for line in child.stderr or ():
            log.info("%s", line.rstrip())
            message = line.removeprefix("error: ").strip() if line.startswith("error: ") else message
    path.unlink(missing_ok=True)
    if message:
        raise UserError(message)
    if child.returncode:
        raise RuntimeError(f"torchrun ended with status {child.returncode}")


def _main(path: str) -> None:
    """Run one of several processes that torchrun started, with the arguments in the JSON file at `path`."""
    first = os.environ.get("RANK", "0") == "0"  # only the first process logs its progress
    logging.basicConfig(level=logging.INFO if first else logging.ERROR, format="%(message)s", stream=sys.stderr)
    try:
        train(**read_json(path))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)


if __name__ == "__main__":
    _main(sys.argv[1])
