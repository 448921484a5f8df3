"""The stages of training: what each trains, what it predicts of a clip, what it is told about that."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.model import Dvis
from vsscli.models.dvis.refiner import Refined
from vsscli.models.dvis.segmenter import Segmented
from vsscli.models.dvis.tracker import Tracked, TrackerState, match
from vsscli.models.dvis.vit_adapter import ViTAdapter
from vsscli.models.preprocess import Preprocess
from vsscli.train.config import TrainConfig
from vsscli.train.contrast import contrast
from vsscli.train.criterion import Losses, Prediction
from vsscli.train.mpvss import MpvssStage
from vsscli.train.noise import shuffled
from vsscli.train.pixels import PixelHead
from vsscli.train.stage import Stage
from vsscli.train.targets import Targets, Units


class SegmenterStage(Stage):
    """The whole segmenter learns, but for a ViT below an adapter; frames are units, every layer is told its errors."""

    model: Dvis

    def __init__(self, model: Dvis, config: TrainConfig, preprocess: Preprocess) -> None:
        super().__init__(model, config, preprocess)
        encoder = model.segmenter.mask2former.model.pixel_level_module.encoder
        if isinstance(encoder, ViTAdapter):
            encoder.vit.requires_grad_(False)
        if config.loss.pixels:
            self.heads["pixels"] = PixelHead(model.config.width, len(model.config.labels))

    def trained(self) -> nn.Module:
        return self.model.segmenter

    def forward(self, pixels: Tensor, targets: Sequence[Targets], progress: float, seed: int) -> Losses:
        segmenter, chance = self.model.segmenter, self._chance(seed, pixels.device)
        features, levels = segmenter.pixel_decoder(segmenter.backbone(pixels.flatten(0, 1)))
        units = Units([target.frame(t) for target in targets for t in range(pixels.shape[1])])
        layers: list[Losses] = []
        for state in segmenter.query_states(features, levels):
            class_logits, normed, embeds = segmenter.predict(state)
            found = Prediction(class_logits, masks(embeds, features))
            answers = self.criterion.match(found, units, chance)
            layers.append(self.criterion.losses(found, units, answers, chance))
        losses = self._sum(layers)
        if "pixels" in self.heads:
            losses["pixels"] = self.config.loss.pixels * self.heads["pixels"](levels[-1], targets)
        if segmenter.identity is None:
            return losses
        return losses | self._identities(segmenter.identity(normed), answers, len(targets))

    def _identities(self, embeds: Tensor, answers: Sequence[Tensor], clips: int) -> Losses:
        """The contrastive terms of identities [B * T, Q, C], by the last layer's assignment."""
        frames, terms = len(embeds) // clips, []
        for first in range(0, len(embeds), frames):
            part = slice(first, first + frames)
            terms.append(contrast(list(embeds[part]), answers[part]))
        identity, cosine = (torch.stack(term).mean() for term in zip(*terms, strict=True))
        return {"identity": self.config.loss.identity * identity, "cosine": self.config.loss.cosine * cosine}


class TrackerStage(Stage):
    """The tracker learns to follow queries from frame to frame.

    A class is matched on the first frame and keeps its query for the clip, in all layers. In the first half of the
    training the segmenter's predictions decide which query that is, then the tracker's own. From the second frame on
    half of the starts are mixed with other queries (`vsscli.train.noise`).
    """

    model: Dvis

    def trained(self) -> nn.Module:
        assert self.model.tracker is not None
        return self.model.tracker

    def forward(self, pixels: Tensor, targets: Sequence[Targets], progress: float, seed: int) -> Losses:
        chance = self._chance(seed, pixels.device)
        frames = pixels.shape[1]
        with torch.no_grad():
            seen = self.model.segmenter(pixels.flatten(0, 1))
        layers: list[list[Prediction]] = []
        answers: list[Tensor] = []
        terms = []
        for clip, target in enumerate(targets):
            followed = self._follow(seen[clip * frames : (clip + 1) * frames], chance)
            first = seen[clip * frames]
            own = _one(first.class_logits, masks(first.mask_embeds, first.mask_features))
            judged = own if progress < 0.5 else _first(followed[-1][0])
            answer = self.criterion.match(judged, Units([target.frame(0)]), chance)[0]
            answers += [answer] * frames
            layers.append([found for found, _ in followed])
            terms.append(contrast(list(followed[-1][1]), [answer] * frames)[0])
        units = Units([target.frame(t) for target in targets for t in range(frames)])
        joined = [_join(layer) for layer in zip(*layers, strict=True)]
        losses = self._sum([self.criterion.losses(found, units, answers, chance) for found in joined])
        return losses | {"identity": self.config.loss.identity * torch.stack(terms).mean()}

    def _follow(self, seen: Sequence[Segmented], chance: torch.Generator) -> list[tuple[Prediction, Tensor]]:
        """Of each layer what it predicts of a clip's frames, and its queries [T, Q, D]."""
        tracker = self.model.tracker
        assert tracker is not None
        state: TrackerState | None = None
        found: list[list[tuple[Tensor, Tensor, Tensor]]] = []
        for frame in seen:
            before = frame.normed if state is None else state.emb
            order, start = match(before, frame.normed), None
            if state is not None:
                order, start = shuffled(frame.raw, order, chance)
            reference, *states = tracker.layer_states(state, frame.raw, frame.raw[order] if start is None else start)
            found.append([(*tracker.predict(reference, x), tracker.norm(x)) for x in states])
            state = TrackerState(states[-1], frame.normed[order])
        features = tracker.project(torch.stack([frame.mask_features for frame in seen]))
        layers = []
        for layer in zip(*found, strict=True):
            class_logits, embeds, decoded = (torch.stack(part) for part in zip(*layer, strict=True))
            layers.append((Prediction(class_logits, masks(embeds, features)), decoded))
        return layers


class RefinerStage(Stage):
    """The refiner learns on what segmenter and tracker make of a clip, which is one unit: its frames stacked.

    In the first half of the training the tracker's predictions decide which query answers for a class, then the
    refiner's own.
    """

    model: Dvis

    def trained(self) -> nn.Module:
        assert self.model.refiner is not None
        return self.model.refiner

    def forward(self, pixels: Tensor, targets: Sequence[Targets], progress: float, seed: int) -> Losses:
        chance = self._chance(seed, pixels.device)
        frames = pixels.shape[1]
        with torch.no_grad():
            seen = self.model.segmenter(pixels.flatten(0, 1))
        layers, answers, terms = [], [], []
        for clip, target in enumerate(targets):
            mine = seen[clip * frames : (clip + 1) * frames]
            tracked, refined = self._refine(mine)
            features = torch.stack([frame.mask_features for frame in mine])
            found = [_tall(each.class_logits, each.mask_embeds, features) for each in refined]
            judged = self._tracked(tracked, features) if progress < 0.5 else found[-1]
            answer = self.criterion.match(judged, Units([target]), chance)[0]
            answers.append(answer)
            layers.append(found)
            terms.append(contrast(list(refined[-1].embeds), [answer] * frames)[0])
        joined = [_join(layer) for layer in zip(*layers, strict=True)]
        units = Units(targets)
        losses = self._sum([self.criterion.losses(found, units, answers, chance) for found in joined])
        return losses | {"identity": self.config.loss.identity * torch.stack(terms).mean()}

    def _refine(self, seen: Sequence[Segmented]) -> tuple[list[Tracked], list[Refined]]:
        """What the tracker finds, and what the refiner does after each of its layers."""
        tracker, refiner = self.model.tracker, self.model.refiner
        assert tracker is not None and refiner is not None
        tracked, state = [], None
        with torch.no_grad():
            for frame in seen:
                one, state = tracker.step(state, frame)
                tracked.append(one)
        embeds, raw = torch.stack([each.embeds for each in tracked]), torch.stack([each.raw for each in seen])
        return tracked, [refiner.predict(x) for x in refiner.layer_states(embeds, raw)]

    def _tracked(self, tracked: Sequence[Tracked], features: Tensor) -> Prediction:
        """The tracker's prediction of the clip: the mean of its class logits, its masks."""
        assert self.model.tracker is not None
        with torch.no_grad():
            logits = torch.stack([each.class_logits for each in tracked]).mean(0)
            embeds = torch.stack([each.mask_embeds for each in tracked])
            return _tall(logits, embeds, self.model.tracker.project(features))


STAGES: dict[str, type[Stage]] = {
    "segmenter": SegmenterStage,
    "tracker": TrackerStage,
    "refiner": RefinerStage,
    "mpvss": MpvssStage,
}


def _tall(class_logits: Tensor, mask_embeds: Tensor, features: Tensor) -> Prediction:
    """A clip as one unit: [Q, K + 1], [T, Q, C] and [T, C, h, w]."""
    return _one(class_logits, masks(mask_embeds, features).transpose(0, 1).flatten(1, 2))


def _one(class_logits: Tensor, mask_logits: Tensor) -> Prediction:
    """One unit."""
    return Prediction(class_logits[None], mask_logits[None])


def _first(found: Prediction) -> Prediction:
    """The first of several units."""
    return Prediction(found.class_logits[:1], found.mask_logits[:1])


def _join(found: Sequence[Prediction]) -> Prediction:
    """Units one after the other."""
    return Prediction(torch.cat([each.class_logits for each in found]), torch.cat([each.mask_logits for each in found]))
