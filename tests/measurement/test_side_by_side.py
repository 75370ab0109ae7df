"""Layers are finished on several threads, with the same results and the same errors as on one."""

import threading

import pytest
import torch

from layerscope.measurement.side_by_side import side_by_side


def test_as_many_works_run_at_a_time_as_there_are_workers():
    meeting = threading.Barrier(2, timeout=30)  # broken unless two are inside together
    side_by_side([meeting.wait, meeting.wait], 2)


def test_one_worker_is_the_calling_thread_and_keeps_the_order():
    seen = []
    side_by_side([lambda place=place: seen.append((place, threading.get_ident())) for place in range(3)], 1)
    assert seen == [(place, threading.get_ident()) for place in range(3)]


def test_each_of_several_has_one_thread_of_torch_and_no_gradients():
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(2)
    try:
        works = [lambda: seen.append((torch.get_num_threads(), torch.is_grad_enabled()))] * 2
        side_by_side(works, 2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [(1, False)] * 2


def test_inference_mode_reaches_the_threads():
    with torch.inference_mode():
        total = torch.zeros(3)
        side_by_side([lambda: total.add_(0), lambda: total.add_(1)], 2)
    assert total.sum() == 3


def test_the_first_error_is_raised_and_the_rest_is_left_out():
    begun = []

    def fail():
        raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        side_by_side([fail, *[lambda: begun.append(1) or threading.Event().wait(0.02)] * 50], 2)
    assert len(begun) < 50
