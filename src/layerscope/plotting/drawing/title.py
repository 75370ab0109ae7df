"""What a run is called in its figures."""

from __future__ import annotations

from layerscope.config import Config

LOSSES = {
    "mseloss": "MSE",
    "celoss": "cross-entropy",
    "focal": "focal loss",
    "logit-adjustment": "logit adjustment",
    "balanced-softmax": "balanced softmax",
}
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}


def run_title(config: Config) -> str:
    """Model, data, loss and optimizer, and whatever else is out of the ordinary."""
    parts = [
        config.model.model_name,
        config.data.dataset_id,
        LOSSES.get(config.optimizer.loss, config.optimizer.loss),
        _optimizer(config),
        *_unusual(config),
    ]
    return " · ".join(parts)


def _optimizer(config: Config) -> str:
    name = OPTIMIZERS.get(config.optimizer.optimizer, config.optimizer.optimizer)
    decay = config.optimizer.weight_decay
    return f"{name}, lr {config.optimizer.lr:g}" + (f", weight decay {decay:g}" if decay else "")


def _unusual(config: Config) -> list[str]:
    said = {
        f"{config.data.subset} training samples": config.data.subset,
        _imbalance(config): config.data.imbalance,
        f"{config.data.random_labels:g} random labels": config.data.random_labels,
        "augmented": config.data.do_augmentation,
        f"run {config.run.run}": config.run.run,
    }
    return [text for text, applies in said.items() if applies]


def _imbalance(config: Config) -> str:
    settings = config.data.imbalance
    factor = settings and settings.factor
    return "as imbalanced as the data" if factor is None else f"imbalance {factor:g}"
