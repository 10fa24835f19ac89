"""What the bits of a training run depend on besides its plan."""

from crowdgym.execution.fingerprint import fingerprint_of


def fingerprint_of_networks(*datasets: str) -> dict[str, str]:
    """As `crowdgym.execution.fingerprint.fingerprint_of`, with what decides how networks round."""
    import torch

    return {
        **fingerprint_of(*datasets),
        "version of PyTorch": str(torch.__version__),
        "set of vector instructions": torch.backends.cpu.get_cpu_capability(),
    }
