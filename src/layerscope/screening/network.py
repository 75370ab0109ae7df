"""A network of a screening: built for the data, with its weights, and what its classifier knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from layerscope.config import Config, ModelConfig
from layerscope.config.sections.screen import ScreenConfig
from layerscope.data.catalog import DatasetInfo
from layerscope.errors import ModelError
from layerscope.models.build import build_model
from layerscope.models.classifier import find_classifier
from layerscope.models.names import split_pretrained
from layerscope.models.published_inputs import PublishedForm, PublishedInputs, published_form
from layerscope.models.weights import compare_weights, read_weights
from layerscope.screening.candidates import Candidate

KEY = "Screen.checkpoints"

Origin = Literal["file", "published", "untrained"]
"""Where weights come from."""


@dataclass(frozen=True)
class Network:
    """A network ready to be measured.

    Attributes
    ----------
    model : nn.Module
    classifier : str
        Dotted name of the linear layer that makes the logits; its input are the last features.
    origin : "file" | "published" | "untrained"
    knows_classes : bool
        Whether the classifier came with the weights and has as many outputs as the data has classes.
    form : PublishedForm, optional
        Where images are made to look as the published weights saw them.
    """

    model: nn.Module
    classifier: str
    origin: Origin
    knows_classes: bool
    form: PublishedForm | None = None

    @property
    def parameters(self) -> int:
        """Numbers that training would fit."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def dim(self) -> int:
        """Last features."""
        head = self.model.get_submodule(self.classifier)
        assert isinstance(head, nn.Linear)
        return head.in_features


def network_of(
    candidate: Candidate,
    settings: ScreenConfig,
    config: Config,
    info: DatasetInfo,
    *,
    device: Literal["cpu", "meta"] = "cpu",
) -> Network:
    """Build a network for the data and give it its weights.

    A classifier of the file that has another number of outputs than the data has classes is left out, as is
    one that is missing there: the network then has a fresh one, which ``knows_classes`` tells.

    Parameters
    ----------
    device
        ``meta``: only find out whether all fits; nothing is downloaded.

    Raises
    ------
    ModelError
        The model cannot be built, the file is damaged, or its weights are those of another network.
    """
    if candidate.problem or candidate.model is None:
        raise ModelError(candidate.problem)
    published = split_pretrained(candidate.model.model_name)[1]
    form = _form(candidate.model, settings, published=published)
    shape = info.shape if form is None else form.shape
    model = build_model(candidate.model, shape, info.classes, seed=config.run.seed_for("init"), device=device)
    classifier, _ = find_classifier(model, info.classes)
    if candidate.weights is not None:
        knows = _load(model, classifier, candidate.weights)
        return Network(model, classifier, "file", knows, form)
    if published:
        known = published_form(candidate.model.model_name)
        knows = known is not None and known.classes == info.classes
        return Network(model, classifier, "published", knows, form)
    return Network(model, classifier, "untrained", knows_classes=False, form=form)


def prepare_inputs(network: Network, info: DatasetInfo, device: torch.device) -> None:
    """Let the network take the data's images, where it was made for others."""
    if network.form is None:
        return
    inputs = PublishedInputs(network.form, info.mean, info.std, device)

    def as_published(module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Tensor]:
        return (inputs(arguments[0]),)

    network.model.register_forward_pre_hook(as_published)


def _form(model: ModelConfig, settings: ScreenConfig, *, published: bool) -> PublishedForm | None:
    if settings.inputs == "data" or (settings.inputs == "auto" and not published):
        return None
    form = published_form(model.model_name)
    if form is None and settings.inputs == "published":
        raise ModelError(
            f"Screen.inputs: published, but nothing is known of published weights of {model.model_name}; "
            "use data for it, in a screening of its own"
        )
    return form


def _load(model: nn.Module, classifier: str, path: Path) -> bool:
    """Set the weights; whether the classifier's are among them."""
    state, own = read_weights(path, KEY), model.state_dict()
    mine = {name: value for name, value in own.items() if name.startswith(f"{classifier}.")}
    weight = f"{classifier}.weight"
    knows = weight in state and state[weight].shape == own[weight].shape
    if not knows:
        state = {name: value for name, value in state.items() if not name.startswith(f"{classifier}.")} | mine
    compare_weights(own, state, path, KEY)
    if not any(tensor.is_meta for tensor in own.values()):
        model.load_state_dict(state)
    return knows
