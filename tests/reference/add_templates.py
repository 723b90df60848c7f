"""Twin of `spikeloom.kernels.add_templates`."""


def add_templates(block, starts, units, scales, templates):
    total = block.copy()
    for start, unit, scale in zip(starts, units, scales, strict=True):
        for t in range(templates.shape[1]):
            if 0 <= start + t < len(block):
                total[start + t] += (scale * templates[unit, t]).astype(block.dtype)
    return total


def add_templates_to_channels(block, channels, starts, units, scales, templates):
    return add_templates(block, starts, units, scales, templates[:, :, channels])
