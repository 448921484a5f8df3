"""A LLaVA of a few hundred thousand weights that tells a sea from a river from a lake: made and trained on the spot.

It is a real one: a CLIP tower, a projector and a Llama, in a folder that ``transformers`` loads and serves. It learns
on pictures of the generated world, drawn as the questions show them, outlined and plain, and answers questions in the
paper's words by what it sees. ``python -m tests.postprocess.tiny_llava FOLDER`` makes one and says how good it is.
"""

import argparse
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from vsscli.data.classes import vspw_classes
from vsscli.data.world import place_name, render_video, video_index
from vsscli.postprocess.picture import draw
from vsscli.postprocess.question import Question

WATERS = ("sea", "river", "lake")
PLACES = {"coast": "sea", "river": "river", "lake": "lake"}
#: Worlds to learn on and to be judged on; experiments have others.
LEARN, JUDGE = 1001, 1002
SIDE, WIDTH = 64, 64
PLAIN = "Is the water in the image a {}? Please give me the only answer."
OUTLINED = f"{PLAIN}\nThe water meant is outlined in red; the rest of the image is dimmed."
ANSWERS = (" {}", " The water in the image is a {}.")
TEMPLATE = (  # pictures first, as LLaVA's own
    "{% for m in messages %}{{ m['role'].upper() }}: "
    "{% for c in m['content'] if c['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for c in m['content'] if c['type'] == 'text' %}{{ c['text'] }}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)


class Picture(NamedTuple):
    """One frame as a question shows it, and the water that it shows."""

    jpeg: bytes
    size: tuple[int, int]
    how: str
    water: str
    video: int


def pictures(seed: int, videos: int, frames: int = 2, size: tuple[int, int] = (90, 160)) -> Iterator[Picture]:
    """Outlined and plain pictures of some frames of the first ``videos`` videos with water in the world ``seed``."""
    table, number, found = vspw_classes(), -1, 0
    while found < videos:
        number += 1
        index = video_index("train", number)
        water = PLACES.get(place_name(seed, index))
        if water is None:
            continue
        found += 1
        for image, labels in render_video(seed, index, frames, size):
            mask = labels == table.index(water)
            if mask.mean() >= 0.02:
                for how in ("outlined", "plain"):
                    yield Picture(*draw(image, mask, how), how, water, number)


def wording(how: str, candidates: tuple[str, ...]) -> str:
    """The question about a picture."""
    return (OUTLINED if how == "outlined" else PLAIN).format(", ".join(candidates))


def make_processor(patch: int) -> LlavaProcessor:
    """Tokens that can spell anything, and pictures squeezed to `SIDE` x `SIDE`, in patches of so many pixels."""
    texts = [wording(how, WATERS) for how in ("outlined", "plain")] * 20
    texts += [f"USER: ASSISTANT: {word}" for word in WATERS] + [a.format(w) for a in ANSWERS for w in WATERS] * 20
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<image>"]
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", padding_side="right",
        extra_special_tokens={"image_token": "<image>"},
    )  # fmt: skip
    square = {"height": SIDE, "width": SIDE}
    images = CLIPImageProcessorPil(size=square, crop_size=square, do_center_crop=False, resample=2)
    return LlavaProcessor(
        images, fast, patch_size=patch, vision_feature_select_strategy="default", chat_template=TEMPLATE,
        image_token="<image>", num_additional_image_tokens=1,
    )  # fmt: skip


def make_model(processor: Any, seed: int) -> Any:
    """The network, untrained."""
    torch.manual_seed(seed)
    tokenizer = processor.tokenizer
    vision = CLIPVisionConfig(
        hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=3, num_attention_heads=4, image_size=SIDE,
        patch_size=processor.patch_size, projection_dim=WIDTH,
    )  # fmt: skip
    text = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=512, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1, image_seq_length=(SIDE // processor.patch_size) ** 2,
        vision_feature_select_strategy="default", tie_word_embeddings=False,
    )  # fmt: skip
    model: Any = LlavaForConditionalGeneration(config)
    model.generation_config.update(
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id, max_new_tokens=40, do_sample=False
    )
    return model


def train(model: Any, processor: Any, seen: list[Picture], steps: int, seed: int, batch: int = 24) -> None:
    """Teaches the answers; only they carry a loss."""
    chance = np.random.default_rng(seed)
    tokenizer = processor.tokenizer
    decoded = [Image.open(io.BytesIO(p.jpeg)).convert("RGB") for p in seen]
    pixels = processor.image_processor(decoded, return_tensors="pt")["pixel_values"]
    patches = (SIDE // processor.patch_size) ** 2
    prompts = {}
    for how in ("outlined", "plain"):
        for order in _orders():
            text = f"USER: {'<image>' * patches}\n{wording(how, order)} ASSISTANT:"
            prompts[how, order] = tokenizer(text)["input_ids"]
    ends = {(w, i): tokenizer(a.format(w))["input_ids"] for w in WATERS for i, a in enumerate(ANSWERS)}
    by_water = [[i for i, p in enumerate(seen) if p.water == water] for water in WATERS]
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps, pct_start=0.1)
    model.train()
    for _ in range(steps):
        chosen = [int(chance.choice(by_water[k % 3])) for k in range(batch)]
        rows, marks = [], []
        for i in chosen:
            order = _orders()[int(chance.integers(6))]
            prompt = prompts[seen[i].how, order]
            end = [*ends[seen[i].water, int(chance.integers(len(ANSWERS)))], tokenizer.eos_token_id]
            rows.append(torch.tensor(prompt + end))
            marks.append(torch.tensor([-100] * len(prompt) + end))
        ids = torch.nn.utils.rnn.pad_sequence(rows, True, tokenizer.pad_token_id)
        wanted = torch.nn.utils.rnn.pad_sequence(marks, True, -100)
        logits = model(
            input_ids=ids,
            attention_mask=(ids != tokenizer.pad_token_id).long(),
            pixel_values=_vary(pixels[chosen], chance),
        ).logits
        loss = cross_entropy(logits[:, :-1].flatten(0, 1), wanted[:, 1:].flatten(), ignore_index=-100)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()


def _orders() -> list[tuple[str, ...]]:
    from itertools import permutations

    return list(permutations(WATERS))


def _vary(pixels: torch.Tensor, chance: np.random.Generator) -> torch.Tensor:
    """Mirrored, moved and tinted by chance, so that few pictures teach more."""
    changed = []
    for picture in pixels:
        picture = picture.flip(-1) if chance.random() < 0.5 else picture
        dy, dx = (int(shift) for shift in chance.integers(-6, 7, 2))
        picture = torch.roll(picture, (dy, dx), (-2, -1))
        tint = torch.from_numpy(chance.normal(0, 0.15, (3, 1, 1)).astype(np.float32))
        changed.append(picture * float(chance.uniform(0.8, 1.2)) + tint)
    return torch.stack(changed)


def as_question(picture: Picture, number: int = 0) -> Question:
    """The question that is asked about a picture."""
    order = _orders()[number % 6]
    name = f"{picture.video}_a"
    return Question(name, "water", "water", "00000001", wording(picture.how, order), order, picture.jpeg, picture.size)


@dataclass(frozen=True)
class Effort:
    """How much is learnt from; the default is for tests, under a minute of one core."""

    videos: int = 240
    frames: int = 2
    size: tuple[int, int] = (90, 160)
    patch: int = 16
    steps: int = 360


#: For experiments: three minutes of one core.
CAREFUL = Effort(360, 3, (180, 320), 8, 1000)


def make_tiny_llava(folder: Path, effort: Effort = Effort(), seed: int = 0) -> Path:
    """Makes, trains and saves one; the folder. One thread, no download."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        processor = make_processor(effort.patch)
        model = make_model(processor, seed)
        seen = list(pictures(LEARN, effort.videos, effort.frames, effort.size))
        train(model, processor, seen, effort.steps, seed)
    finally:
        torch.set_num_threads(before)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def accuracy(folder: Path, videos: int, size: tuple[int, int]) -> dict[str, float]:
    """How often `LocalAsker` is right on pictures that the model has not seen, outlined and plain."""
    from vsscli.postprocess.local import LocalAsker
    from vsscli.postprocess.profiles import load_profile

    asker = LocalAsker(load_profile("llava", local=str(folder)))
    right: dict[str, list[bool]] = {"outlined": [], "plain": []}
    for number, picture in enumerate(pictures(JUDGE, videos, 2, size)):
        right[picture.how].append(asker.ask(as_question(picture, number)).chosen == picture.water)
    return {how: float(np.mean(results)) for how, results in right.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--careful", action="store_true", help="a better one, for experiments")
    parser.add_argument("--judge", type=int, default=60, help="videos to be judged on")
    options = parser.parse_args()
    effort = CAREFUL if options.careful else Effort()
    make_tiny_llava(options.folder, effort)
    shares = accuracy(options.folder, options.judge, effort.size)
    print({how: round(share, 3) for how, share in shares.items()})


if __name__ == "__main__":
    main()
