"""The official names of the ViT-Adapter's tensors, and ours: the beginnings that differ, as data."""

_EXTRACTORS = (
    *(f"interactions.{stage}.extractor." for stage in range(4)),
    *(f"interactions.3.extra_extractors.{extra}." for extra in range(2)),
)

#: Official beginning of a key below ``backbone.`` -> ours below the `ViTAdapter`; of several that fit the longest
#: holds, and the rest of the key stays. The same both ways.
ADAPTER_PREFIXES: dict[str, str] = {
    "level_embed": "level_embed",
    "up.": "up.",
    "vit_module.": "vit.",
    "vit_module.patch_embed.proj.": "vit.patch_embed.",
    "spm.stem.": "prior.stem.",
    **{f"spm.conv{i + 2}.": f"prior.down.{i}." for i in range(3)},
    **{f"spm.fc{i + 1}.": f"prior.project.{i}." for i in range(4)},
    **{official: f"extractors.{i}." for i, official in enumerate(_EXTRACTORS)},
    **{f"{official}ffn.dwconv.dwconv.": f"extractors.{i}.ffn.depthwise." for i, official in enumerate(_EXTRACTORS)},
    **{f"norm{i + 1}.": f"norms.{i}." for i in range(4)},
}

#: Official tensors below ``backbone.`` that the network never uses, and ours has not.
ADAPTER_UNUSED = ("vit_module.mask_token", "vit_module.norm.weight", "vit_module.norm.bias")
