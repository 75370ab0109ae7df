"""BatchNorm over the whole batch, of which every process of a run holds a share."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import Function
from torch.nn.modules.batchnorm import _BatchNorm

from layerscope.errors import ModelError

_KNOWN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def share_batchnorm(model: nn.Module, device: torch.device) -> None:
    """Let every BatchNorm of ``model`` use the moments of the whole batch; names and weights stay.

    On a GPU torch's own SyncBatchNorm (or timm's) takes the layers' place, on the CPU ours.

    Raises
    ------
    ModelError
        A layer normalises over the batch in a way of its own.
    """
    places = list(model.named_modules(remove_duplicate=False))
    layers = {module: name for name, module in places if isinstance(module, _BatchNorm)}
    convert = _for_gpu if device.type == "cuda" else _for_cpu
    converted = {module: convert(name, module) for module, name in layers.items()}
    for name, module in places:
        if module in converted and name:
            model.set_submodule(name, converted[module])


def _for_gpu(name: str, module: nn.Module) -> nn.Module:
    if type(module) in _KNOWN:
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
    if type(module).__module__.startswith("timm."):
        from timm.layers.norm_act import convert_sync_batchnorm

        return convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
    return _already_shared(name, module)


def _for_cpu(name: str, module: nn.Module) -> nn.Module:
    if type(module) in _KNOWN:
        module.__class__ = GlobalBatchNorm  # the same parameters and buffers, another forward pass
        return module
    return _already_shared(name, module)


def _already_shared(name: str, module: nn.Module) -> nn.Module:
    if isinstance(module, nn.SyncBatchNorm | GlobalBatchNorm):
        return module
    raise ModelError(
        f"layer {name!r}, a {type(module).__name__}, cannot share its batch with other processes "
        "here. Train this model with one process (Slurm.gpus-per-run: 1)."
    )


class GlobalBatchNorm(_BatchNorm):
    """BatchNorm whose statistics in training are those of all processes, for any device."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise a share (B, C, ...) by the moments of the whole batch (C,)."""
        if not self.training and self.running_mean is not None:
            return super().forward(input)
        normalised, count, mean, variance = _normalise(input, self.weight, self.bias, self.eps)
        if self.training and self.running_mean is not None:
            self._follow(count, mean, variance)
        return normalised

    @torch.no_grad()
    def _follow(self, count: Tensor, mean: Tensor, variance: Tensor) -> None:
        """Move the running moments, as torch does: the variance is the unbiased one."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        factor = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), factor)
        self.running_var.lerp_((variance * count / (count - 1)).to(self.running_var.dtype), factor)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any shape: the layer in whose place this one stands would have said so before."""


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _normalise(
    features: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    result: tuple[Tensor, Tensor, Tensor, Tensor] = _Normalise.apply(features, weight, bias, eps)
    return result


class _Normalise(Function):
    """``(x - mean) / sqrt(variance + eps) * weight + bias``; then count, mean, variance of it all."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, ...]:
        wide = _at_least_float32(features)
        count, mean, variance = _global_moments(wide)
        if float(count) <= 1:
            raise ValueError("Expected more than 1 value per channel when training")
        scale = torch.rsqrt(variance + eps)
        normal = (wide - _spread(mean, wide)) * _spread(scale, wide)
        ctx.save_for_backward(normal, weight, scale, count)
        ctx.mark_non_differentiable(count, mean, variance)
        result = normal if weight is None else normal * _spread(weight, wide)
        result = result if bias is None else result + _spread(bias, wide)
        return result.to(features.dtype), count, mean, variance

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: object) -> tuple[Tensor | None, ...]:
        normal, weight, scale, count = ctx.saved_tensors
        wide = _at_least_float32(grad)
        own = torch.stack([_channel_sum(wide), _channel_sum(wide * normal)])
        total = own.clone()
        dist.all_reduce(total)
        shift, slope = (_spread(part / count, wide) for part in total)
        factor = scale if weight is None else scale * weight
        back = (wide - shift - normal * slope) * _spread(factor, wide)
        of_weight, of_bias = (None, None) if weight is None else (own[1].to(weight), own[0].to(weight))
        return back.to(grad.dtype), of_weight, of_bias, None


def _global_moments(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Count (), mean (C,) and biased variance (C,) over all processes, float64."""
    size = features.numel() // features.shape[1]
    mean = _channel_sum(features) / max(size, 1)
    squares = _channel_sum((features - _spread(mean, features)).square())
    own = torch.stack([torch.full_like(mean, size), mean, squares])
    parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, own)
    counts, means, all_squares = torch.stack(parts, dim=1)  # (P, C) each
    count = counts.sum(dim=0)
    middle = (counts * means).sum(dim=0) / count
    spread = all_squares.sum(dim=0) + (counts * (means - middle).square()).sum(dim=0)
    return count[0], middle, spread / count


def _channel_sum(values: Tensor) -> Tensor:
    """Sum (C,) of values (B, C, ...), float64."""
    return values.sum(dim=[d for d in range(values.ndim) if d != 1], dtype=torch.float64)


def _spread(channels: Tensor, like: Tensor) -> Tensor:
    """Values (C,) as (1, C, 1, ...), in the precision of ``like``."""
    return channels.to(like.dtype).view(1, -1, *[1] * (like.ndim - 2))


def _at_least_float32(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
