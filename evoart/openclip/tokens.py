"""Text to token ids: OpenAI's byte pair encoding, and a plain list of words for models of a small vocabulary.

The encoding is that of R. Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units" (2016) over
UTF-8 bytes. Its list of merges belongs to a model's files (see ``store``); it is not part of this package.
"""

from __future__ import annotations

import functools
import gzip
import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from evoart.errors import EvoartError, UsageError

MERGES = 49152 - 256 - 2  # of the list that count


class Tokenizer(Protocol):
    """Turns texts into ids. ``start`` and ``end`` enclose every text; ``end`` is the highest id there is."""

    @property
    def context(self) -> int:
        """Ids per text, with start and end."""
        ...

    @property
    def start(self) -> int:
        """The id that every text begins with."""
        ...

    @property
    def end(self) -> int:
        """The id that every text ends with."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without start and end, however many."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """About the text that ids stand for."""
        ...


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> np.ndarray:
    """Ids ``(n, context)`` int32 of texts, filled up with zeros; what does not fit is left out (see
    ``find_overflow``)."""
    out = np.zeros((len(texts), tokenizer.context), np.int32)
    for row, text in zip(out, texts, strict=True):
        ids = [tokenizer.start, *tokenizer.encode(text)[: tokenizer.context - 2], tokenizer.end]
        row[: len(ids)] = ids
    return out


def find_overflow(tokenizer: Tokenizer, text: str) -> str:
    """The end of a text that does not fit into the context; empty where all does."""
    return tokenizer.decode(tokenizer.encode(text)[tokenizer.context - 2 :])


@dataclass(frozen=True)
class Words:
    """Ids of whole words: 1 is the first of ``words``; then start and end."""

    words: tuple[str, ...]
    context: int
    name: str = "this model"

    @property
    def start(self) -> int:
        """See ``Tokenizer.start``."""
        return len(self.words) + 1

    @property
    def end(self) -> int:
        """See ``Tokenizer.end``."""
        return len(self.words) + 2

    def encode(self, text: str) -> list[int]:
        """Ids of a text.

        Raises:
            UsageError: a word that is not in the list.
        """
        found = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower())
        strange = [word for word in found if word not in self.words]
        if strange or not found:
            what = f"'{strange[0]}'" if strange else f"'{text}'"
            raise UsageError(
                f"the model {self.name} does not know {what}",
                f"Use another --model, or these words: {', '.join(self.words)}",
            )
        return [self.words.index(word) + 1 for word in found]

    def decode(self, ids: Sequence[int]) -> str:
        """The words that ids stand for."""
        return " ".join(self.words[i - 1] for i in ids if 0 < i <= len(self.words))


class BytePairs:
    """OpenAI's encoding, as open_clip's ``SimpleTokenizer`` does it.

    Args:
        merges: pairs, the most frequent first.
        context: ids per text, with start and end.
    """

    def __init__(self, merges: Sequence[tuple[str, str]], context: int = 77) -> None:
        letters = list(_letters().values())
        vocabulary = letters + [letter + "</w>" for letter in letters] + ["".join(pair) for pair in merges]
        self._ids = {word: i for i, word in enumerate(vocabulary)}
        self._texts = vocabulary
        self._ranks = {pair: i for i, pair in enumerate(merges)}
        self.context, self.start, self.end = context, len(vocabulary), len(vocabulary) + 1

    @classmethod
    def read(cls, path: str | Path, context: int = 77) -> BytePairs:
        """From a list of merges: open_clip's ``bpe_simple_vocab_16e6.txt.gz`` or a hub's ``merges.txt``.

        Raises:
            EvoartError: a file that cannot be read or is no such list.
        """
        try:
            data = Path(path).read_bytes()
            text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
            pairs = [tuple(line.split()) for line in text.split("\n")[1 : MERGES + 1]]
            if len(pairs) != MERGES or any(len(pair) != 2 for pair in pairs):
                raise ValueError(f"it holds {len(pairs)} pairs instead of {MERGES:,}")
        except (OSError, EOFError, ValueError) as error:
            raise EvoartError(f"the vocabulary '{path}' cannot be used ({error})", "Fetch it again") from error
        return cls(pairs, context)  # type: ignore[arg-type]

    def encode(self, text: str) -> list[int]:
        """See ``Tokenizer.encode``."""
        letters = _letters()
        return [
            self._ids[part]
            for word in _split(clean(text))
            for part in self._merge("".join(letters[byte] for byte in word.encode("utf-8")))
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """See ``Tokenizer.decode``."""
        back = {letter: byte for byte, letter in _letters().items()}
        text = "".join(self._texts[i] for i in ids if i < len(self._texts)).replace("</w>", " ")
        return bytes(back.get(c, 32) for c in text).decode("utf-8", errors="replace").strip()

    def _merge(self, word: str) -> list[str]:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pair = min(zip(parts, parts[1:], strict=False), key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if pair not in self._ranks:
                break
            joined, i = [], 0
            while i < len(parts):
                both = i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair
                joined.append(parts[i] + parts[i + 1] if both else parts[i])
                i += 1 + both
            parts = joined
        return parts


def clean(text: str) -> str:
    """A text as open_clip cleans it: wrongly decoded characters, ligatures and full width by ftfy, then HTML entities,
    spaces and case."""
    from ftfy import fix_text

    return " ".join(html.unescape(html.unescape(fix_text(text))).split()).lower()


# The long s counts as an s, as it does to open_clip's pattern, which ignores case.
_ENDINGS = ("'re", "'ve", "'ll", "'s", "'\u017f", "'t", "'m", "'d")


def _split(text: str) -> Iterator[str]:
    """Pieces of a text: English endings, runs of letters, single digits, runs of anything else."""
    i = 0
    while i < len(text):
        ending = next((each for each in _ENDINGS if text.startswith(each, i)), "")
        special = next((each for each in ("<start_of_text>", "<end_of_text>") if text.startswith(each, i)), "")
        kind = _kind(text[i])
        end = i + 1
        if special:
            i += len(special)  # a user's text cannot hold the marks themselves
            continue
        if ending:
            end = i + len(ending)
        elif kind != "number":
            while end < len(text) and _kind(text[end]) == kind:
                end += 1
        if kind != "space":
            yield text[i:end]
        i = end


def _kind(letter: str) -> str:
    category = unicodedata.category(letter)[0]
    return "space" if letter.isspace() else {"L": "letter", "N": "number"}.get(category, "other")


@functools.cache
def _letters() -> dict[int, str]:
    """A visible character for every byte: itself where it is one, else one from U+0100 on, in that order."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {byte: chr(byte) for byte in seen}
    return table | {byte: chr(256 + i) for i, byte in enumerate(b for b in range(256) if b not in table)}
