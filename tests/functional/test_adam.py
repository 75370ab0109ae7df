"""Adam takes the steps of its definition."""

import numpy as np
import torch

from layerscope.functional.adam import Adam


def test_steps_are_those_of_the_algorithm():
    start = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = start.clone().requires_grad_()
    adam = Adam([moved], 0.01)
    wanted, first, second = start.numpy().copy(), np.zeros((3, 4)), np.zeros((3, 4))
    for step, power in enumerate((2, 3, 4, 2), start=1):
        adam.step(torch.autograd.grad((moved**power).sum(), [moved]))
        gradient = power * wanted ** (power - 1)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        unbiased = first / (1 - 0.9**step), second / (1 - 0.999**step)
        wanted -= 0.01 * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    assert np.allclose(moved.detach().numpy(), wanted, rtol=1e-10, atol=0)
