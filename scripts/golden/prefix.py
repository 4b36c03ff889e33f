"""A rank prefix under PEFT's own LoRA layers: the first b rows of A and columns of B, scale alpha / b.

The stored tensors keep their full rank, so the gradient outside the prefix is exactly zero. An optimiser must not see
those zeros (momentum and weight decay would move the rest), so the ten steps train the slices as parameters.
"""

import torch
from peft.tuners.lora import Linear
from torch import nn


class PrefixFactor(nn.Module):
    """Stands in for PEFT's lora_A or lora_B; .weight is the trained slice alone."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())

    def forward(self, x):
        return torch.nn.functional.linear(x, self.weight)


def limit_rank(model, rank, alpha):
    for module in model.modules():
        if isinstance(module, Linear):
            module.lora_A['default'] = PrefixFactor(module.lora_A['default'].weight[:rank])
            module.lora_B['default'] = PrefixFactor(module.lora_B['default'].weight[:, :rank])
            module.scaling['default'] = alpha / rank
    return model
