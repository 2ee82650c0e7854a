"""Load checkpoints of wav2vec 2.0, HuBERT and WavLM in the layout of Hugging Face.

What transformers only warns of (missing weights that it fills at random, shapes that do not fit) is an error here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import PreTrainedModel

from unscribed.errors import UserError
from unscribed.ssl.checkpoint_files import CONFIG, check_weights, find, preprocessing, read_config
from unscribed.ssl.waveform import receptive_field

NOT_NEEDED = {"masked_spec_embed"}  # weights that only masking, that is pretraining, uses: they may be missing


@dataclass(frozen=True)
class Checkpoint:
    """A base encoder in eval mode, float32, on the CPU, and the audio that it expects.

    `normalize`: waveforms of zero mean and unit variance; `name`: as in the configuration; `folder`: of its files.
    """

    model: PreTrainedModel
    normalize: bool
    sample_rate_hz: int
    name: str
    folder: Path

    @property
    def kernels(self) -> list[int]:
        """Kernel sizes of the CNN encoder."""
        return list(self.model.config.conv_kernel)

    @property
    def strides(self) -> list[int]:
        """Strides of the CNN encoder."""
        return list(self.model.config.conv_stride)

    @property
    def hop_samples(self) -> int:
        """Samples from one frame to the next."""
        return receptive_field(self.kernels, self.strides)[1]

    @property
    def receptive_field_samples(self) -> int:
        """Samples that one frame sees: shorter audio has no frame."""
        return receptive_field(self.kernels, self.strides)[0]

    @property
    def layers(self) -> int:
        """Number of Transformer blocks."""
        return int(self.model.config.num_hidden_layers)

    @property
    def dims(self) -> int:
        """Dimensions of the hidden states."""
        return int(self.model.config.hidden_size)


def load(name: str, sample_rate_hz: int, key: str = "features.checkpoint") -> Checkpoint:
    """Load the base encoder of a checkpoint: a folder, or a name on the Hugging Face hub with an optional `@revision`.

    Raises UserError, which names the configuration's `key`, if there is no such checkpoint, if its type is not one of
    MODEL_TYPES, if it has no safetensors or they lack weights of the encoder, or if its sampling rate is not
    `sample_rate_hz`.
    """
    folder = find(name, key)
    config = read_config(folder, key)
    check_weights(folder, name, key)
    rate, normalize = preprocessing(folder, key)
    if rate != sample_rate_hz:
        raise UserError(
            f"{key}: {name} was made for audio of {rate} Hz, but audio.sample_rate_hz is {sample_rate_hz}: set "
            f"audio.sample_rate_hz: {rate} (all audio is brought to it), or choose another checkpoint."
        )
    model = _read_model(folder, config["model_type"], key)
    return Checkpoint(model.eval(), normalize, rate, name, folder)


def check_layer(checkpoint: Checkpoint, layer: int, key: str = "features.layer") -> None:
    """Raise UserError, which names the configuration's `key`, if the checkpoint does not have this layer."""
    if not 0 <= layer <= checkpoint.layers:
        raise UserError(
            f"{key}: {layer} is more than the {checkpoint.layers} blocks of {checkpoint.name}: choose 0 (the input of "
            f"the first block) to {checkpoint.layers}."
        )


def _read_model(folder: Path, model_type: str, key: str) -> PreTrainedModel:
    """Load the base encoder, float32. Raises UserError for weights that are damaged, missing or of other shapes.

    transformers renames the weights of models with a head and those of older weight norms, and chooses an attention
    implementation that takes padding masks (torch's; for WavLM its own).
    """
    again = "copy or download the checkpoint again"
    try:
        with _quiet():
            model, loaded = transformers.AutoModel.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # an error below, which names them
            )
    except (SafetensorError, OSError) as error:
        raise UserError(f"{key}: the weights in {folder} are damaged or cut off ({error}): {again}.") from error
    except (StrictDataclassError, ValueError, TypeError, KeyError, RuntimeError, AttributeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{key}: {folder / CONFIG} describes no {model_type} model ({reason}): {again}.") from error
    mismatched = {name for name, *_ in loaded["mismatched_keys"]}
    problems = {
        "are missing": set(loaded["missing_keys"]) - NOT_NEEDED,
        "have other shapes than its config.json says": mismatched - NOT_NEEDED,
    }
    for problem, names in problems.items():
        if names:
            raise UserError(
                f"{key}: {len(names)} weights of the encoder in {folder} {problem} (such as {min(names)}): {again}."
            )
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Turn off transformers' progress bars and its warnings about the weights of a head, which is left out."""
    logging_of = transformers.utils.logging
    verbosity, bars = logging_of.get_verbosity(), logging_of.is_progress_bar_enabled()
    logging_of.set_verbosity_error()
    logging_of.disable_progress_bar()
    try:
        yield
    finally:
        logging_of.set_verbosity(verbosity)
        if bars:
            logging_of.enable_progress_bar()
