"""What a model's answer says: one of the classes offered, or nothing that is sure.

A wrong class would be painted over a whole video, a missed one only costs a vote. So a class counts where the answer
says in so many words that this is it: bare ("Lake."), or behind a verb ("it appears to be a calm lake"). What is
denied, only thought of, compared, listed, part of another thing, or taken back later does not.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from vsscli.postprocess import words
from vsscli.resources import resource_folder

#: What the model may say instead of a class.
ABSTAIN = "none of these"
_LONGEST = 2_000  # characters; longer ones are no answers, and take long to read

Names = Mapping[tuple[str, ...], str]  # the words of a name -> its class


class _Mention(NamedTuple):
    name: str
    start: int
    end: int


def parse(text: str, candidates: Sequence[str], asked: str = "") -> str | None:
    """The one of ``candidates`` that ``text`` names, None where it names none, or more than one, or is not sure.

    Upper and lower case do not matter, nor the order of ``candidates``. The synonyms of ``prompts/synonyms.csv`` count,
    and each half of ``one_or_other``. ``asked``, the question, tells what it was about: a class that it names twice.
    """
    said = _without_thoughts(text)
    if said is None or len(said) > _LONGEST:
        return None
    text = re.sub(r"^\s*```\w*\s*|\s*```\s*$", "", said).strip()
    exact = [name for name in candidates if name == text]
    if exact:
        return exact[0]
    if text[:1] in ("{", "["):
        named = _json_answer(text)
        if named is None or named in candidates:
            return named
        text = named
    return _read(text, _names(tuple(candidates)), asked)


def _without_thoughts(text: str) -> str | None:
    """What stands outside of ``<think>`` and its end; None where a thought does not end."""
    kept, inside = [], False
    for part in re.split(r"(</?think(?:ing)?>)", text, flags=re.I):
        if re.fullmatch(r"<think(?:ing)?>", part, re.I):
            inside = True
        elif inside and re.fullmatch(r"</think(?:ing)?>", part, re.I):
            inside = False
            kept.append(" ")
        elif not inside:
            kept.append(part)
    return None if inside else "".join(kept)


def _json_answer(text: str) -> str | None:
    """What a JSON object gives as its answer."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    said = found.get("answer") if isinstance(found, dict) else None
    return said if isinstance(said, str) else None


@cache
def _names(candidates: tuple[str, ...]) -> Names:
    """All ways to call the candidates; a way that two of them share is none."""
    own = {tuple(_tokens(name)): name for name in candidates}
    more: dict[tuple[str, ...], set[str]] = {}
    for name in candidates:
        halves = re.split(r"_or_", name) if "_or_" in name else []
        for way in (*halves, *_synonyms().get(name, ())):
            more.setdefault(tuple(_tokens(way)), set()).add(name)
    single = {way: of.pop() for way, of in more.items() if len(of) == 1}
    singular = {**single, **own}
    plural = {(*way[:-1], _plural(way[-1])): name for way, name in singular.items() if way}
    return {way: name for way, name in {**plural, **singular}.items() if way}


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    with (resource_folder("prompts") / "synonyms.csv").open(newline="", encoding="utf-8") as file:
        return {row["class"]: tuple(row["synonyms"].split("|")) for row in csv.DictReader(file)}


def _plural(word: str) -> str:
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if re.search(r"(s|x|ch|sh)$", word) else f"{word}s"


def _tokens(text: str) -> list[str]:
    """Lower-case words and punctuation, contractions written out."""
    text = text.lower().replace("_", " ").replace("’", "'")
    text = re.sub(r"<[^<>]{1,20}>|[*`\"#|>]", " ", text)
    text = re.sub(r"\b(?:(?:no|without(?: a)?) doubt|in fact)\b", " ", text)
    text = re.sub(r"\bcan't\b", "cannot", text)
    text = re.sub(r"n't\b", " not", text)
    text = re.sub(r"\b(it|that|this|there|here|what|which)'s\b", r"\1 is", text)
    text = re.sub(r"\b(i|it|that)'d\b", r"\1 would", text)
    text = re.sub(r"\bi'm\b", "i am", text)
    return re.findall(r"\w+(?:['-]\w+)*|[.,;:!?()/-]", text)


def _sentences(text: str) -> Iterator[list[str]]:
    """The sentences of ``text``, each with the mark that ends it."""
    for line in text.splitlines():
        sentence: list[str] = []
        for token in _tokens(re.sub(r"^\s*(?:[-*•>]+|\d+[.)])\s+", "", line)):
            sentence.append(token)
            if token in (".", "!", "?", ";"):
                yield sentence
                sentence = []
        if sentence:
            yield sentence


def _read(text: str, names: Names, asked: str) -> str | None:
    plain = " ".join(_tokens(text))
    if any(re.search(rf"\b{phrase}\b", plain) for phrase in words.UNSURE):
        return None
    spoken = [mention.name for mention in _Sentence(_tokens(asked), names).mentions]
    about = {name for name in spoken if spoken.count(name) > 1}
    sure: set[str] = set()
    shown: set[str] = set()
    named: set[str] = set()
    denied: set[str] = set()
    doubted: set[str] = set()
    for number, tokens in enumerate(_sentences(text)):
        sentence = _Sentence(tokens, names)
        named |= {m.name for m in sentence.mentions if m.name not in about or not sentence.is_topic(m)}
        denied |= {mention.name for mention in sentence.mentions if sentence.denies(mention)}
        doubted |= {mention.name for mention in sentence.mentions if sentence.doubts(mention)}
        if (sure | shown) and tokens[0] in words.TAKE_BACK:
            return None
        for mention in sentence.mentions if tokens[-1] != "?" else ():
            if sentence.is_bare(mention) or sentence.is_said(mention) or sentence.is_chosen(mention):
                sure.add(mention.name)
            elif number == 0 and sentence.is_shown(mention):
                shown.add(mention.name)
    if not sure and len(named) == 1:
        sure = shown
    return sure.pop() if len(sure) == 1 and not sure & denied and doubted <= sure else None


class _Sentence:
    """One sentence, and where in it classes are named, the longest name first: a ``flower pot`` is no ``flower``."""

    def __init__(self, tokens: Sequence[str], names: Names) -> None:
        self.tokens = list(tokens)
        self.mentions: list[_Mention] = []
        longest = max(map(len, names), default=0)
        at = 0
        while at < len(tokens):
            for length in range(min(longest, len(tokens) - at), 0, -1):
                name = names.get(tuple(tokens[at : at + length]))
                if name is not None:
                    self.mentions.append(_Mention(name, at, at + length))
                    at += length - 1
                    break
            at += 1

    def denies(self, mention: _Mention) -> bool:
        """It is not really a lake."""
        return bool(set(self._clause(mention.start)) & words.DENIALS)

    def doubts(self, mention: _Mention) -> bool:
        """It may also be a lake."""
        clause = set(self._clause(mention.start))
        return bool(clause & words.MAYBE) and not clause & words.DENIALS

    def is_bare(self, mention: _Mention) -> bool:
        """Lake. Answer: a lake. A lake, because it is calm. Not a river but a lake."""
        start, before = 0, self.tokens[: mention.start]
        if "but" in before and "not" in before[: before.index("but")] and "only" not in before:
            start = before.index("but") + 1
            start += int(before[start:][:1] == ["rather"])
        while start < mention.start and self._leads(start):
            start += 1
        after = [token for token in self.tokens[mention.end :] if token not in (".", "!", ")", ";")]
        after = after[1:] if after[:1] == [","] else after
        ends = not after or after[0] in words.REASONS
        return ends and self._describes(start, mention) and not self._retracts(mention)

    def _leads(self, at: int) -> bool:
        """So the final answer is. I go with."""
        return self.tokens[at] in (*words.LEADS, ",") or (at > 0 and self.tokens[at - 1 : at + 1] == ["go", "with"])

    def is_said(self, mention: _Mention) -> bool:
        """The water in the image appears to be a calm lake."""
        return any(
            self._describes(end, mention)
            and self._states(start, mention)
            and self._clause(start)[-1:] not in ([], ["there"])
            for start, end in self._verbs(words.VERBS, mention)
        )

    def is_chosen(self, mention: _Mention) -> bool:
        """Of these, a lake is the best answer."""
        after = self.tokens[mention.end : mention.end + 6]
        before = [token for token in self._clause(mention.start) if token not in words.ARTICLES]
        fits = after[:1] == ["is"] and bool(set(after) & words.ANSWERS) and not before
        return fits and not set(after) & (words.DENIALS | words.THOUGHTS) and not self._retracts(mention)

    def is_topic(self, mention: _Mention) -> bool:
        """The water, of which something else is said."""
        return self.tokens[max(mention.start - 1, 0) : mention.start] == ["the"]

    def is_shown(self, mention: _Mention) -> bool:
        """The image shows a lake. There is a lake. Said of the picture, not of what was asked about."""
        stops = [i for i in range(mention.end, len(self.tokens)) if self.tokens[i] == ","]
        return not set(self.tokens[: min(stops, default=None)]) & words.ELSEWHERE and any(
            self._describes(end, mention)
            and self._states(start, mention)
            and bool(set(self._clause(start)) & words.PICTURES)
            for start, end in self._verbs(words.SHOWS, mention)
        )

    def _verbs(self, verbs: Sequence[tuple[str, ...]], mention: _Mention) -> Iterator[tuple[int, int]]:
        """Where a verb before ``mention`` starts and ends."""
        for verb in verbs:
            for start in range(mention.start - len(verb) + 1):
                if tuple(self.tokens[start : start + len(verb)]) == verb:
                    yield start, start + len(verb)

    def _clause(self, end: int) -> list[str]:
        """The words before ``end`` back to where the clause begins."""
        starts = (i + 1 for i in range(end - 1, -1, -1) if self.tokens[i] in words.CLAUSES)
        return self.tokens[next(starts, 0) : end]

    def _states(self, verb: int, mention: _Mention) -> bool:
        """Whether the words around a verb and its class state something here and now, in the model's own name."""
        before, subject = self.tokens[: mention.start], self._clause(verb)
        opinions = [i for i, token in enumerate(before) if token in words.OPINIONS]
        if any(before[i - 1 : i] not in (["i"], ["would"]) for i in opinions) and "my" not in before:
            return False
        if opinions and set(before) & words.DENIALS:
            return False
        bad = words.DENIALS | words.THOUGHTS | words.BESIDE | words.ELSEWHERE
        if set(subject) & bad or set(before) & words.CONDITIONS or ("would" in subject and not opinions):
            return False
        follower = self.tokens[mention.end : mention.end + 1]
        return (
            (not follower or follower[0] in words.FOLLOWERS)
            and not self._lists(mention)
            and not self._retracts(mention)
        )

    def _describes(self, start: int, mention: _Mention) -> bool:
        """Whether what stands from ``start`` up to a class only describes it: adverbs, an article, adjectives."""
        between = self.tokens[start : mention.start]
        if any(start <= other.start < mention.start for other in self.mentions):
            return False
        between = between[1:] if between[:1] == [":"] else between
        while between and between[0] in words.ADVERBS:
            between = between[1:]
        between = between[1:] if between and between[0] in words.ARTICLES else between
        bad = words.BREAKS | words.DENIALS | words.THOUGHTS | words.ARTICLES | words.COMPOUNDS
        return len(between) <= 5 and not set(between) & bad

    def _lists(self, mention: _Mention) -> bool:
        """A river, lake or sea: whether another class follows right behind, or as an alternative."""
        for other in self.mentions:
            between = set(self.tokens[mention.end : other.start])
            apart = other.name == mention.name or not between or between & words.DENIALS
            joined = "or" in between or ("and" in between and self.tokens[other.start - 1] in ("and", "a", "an"))
            if not apart and (joined or between <= words.LISTING):
                return True
        return False

    def _retracts(self, mention: _Mention) -> bool:
        """It looks like a lake, but ..."""
        return bool(set(self.tokens[mention.end :]) & words.CONTRASTS)
