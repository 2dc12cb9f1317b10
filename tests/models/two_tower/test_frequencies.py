import torch

from models.two_tower.frequencies import StreamingFrequency, counted_log_q, uncorrected_log_q
from models.two_tower.losses import log_share


def test_counted_shares_add_up_within_contents_and_within_streamers() -> None:
    items = torch.tensor([0, 0, 0, 1, 2, 3, 3])
    share = counted_log_q(items, torch.tensor([0, 0, 1, 1])).exp()
    assert torch.allclose(share, torch.tensor([3 / 4, 1 / 4, 1 / 3, 2 / 3]))


def test_without_a_correction_every_draw_counts_one() -> None:
    counts = torch.tensor([1.0, 3.0])
    assert torch.allclose(log_share(counts, uncorrected_log_q(2, batch_size=64), others=63).exp(), counts)


def test_streamed_frequencies_come_to_the_true_shares() -> None:
    share, batch = torch.tensor([0.02, 0.005, 0.001]), 16
    generator, frequency = torch.Generator().manual_seed(0), StreamingFrequency(3, rate=0.01)
    for _ in range(20_000):
        met = torch.rand(3, generator=generator) < 1 - (1 - share) ** batch
        frequency.update(torch.nonzero(met)[:, 0])
    assert torch.allclose(frequency.log_q(batch).exp(), share, rtol=0.3)


def test_a_restored_frequency_goes_on_alike() -> None:
    one = StreamingFrequency(2)
    one.update(torch.tensor([1]))
    other = StreamingFrequency(2)
    other.restore(one.state())
    assert torch.equal(one.log_q(4), other.log_q(4))
