"""Text to ids, against open_clip's tokenizer."""

from __future__ import annotations

import numpy as np
import pytest
from clips import open_clip
from hypothesis import given
from hypothesis import strategies as st

from evoart.errors import EvoartError, UsageError
from evoart.openclip import catalogue
from evoart.openclip.tokens import BytePairs, Words, find_overflow, tokenize

TEXTS = [
    "",
    "a cat",
    "A  Cat\n\tin the HAT!?",
    "it's they're I'd we'll don't o'clock 'sup",
    "12 apples & 3.14 pears, $5",
    "naïve café — “quoted” … ünïcödé",
    "日本の猫 и кот قطة 🐈‍⬛",
    "&lt;b&gt; &amp;amp; fish &amp; chips",
    "<start_of_text> is a <end_of_text> mark",
    "!!!???...---___",
    "ﬁne ﬂowers in Ａ ＦＵＬＬ　ＷＩＤＴＨ ﾊﾝｶｸ frame",
    "cafÃ© â€œquotedâ€\x9d",
    "a\x00b\x07c\u2028d \x1b[31mred",
    "it'\u017f a long s",
    "a" * 300,
    "photo of a very " * 40,
]


@pytest.fixture(scope="module")
def pair():
    library = open_clip()
    path = catalogue.package_folder() / "bpe_simple_vocab_16e6.txt.gz"
    return BytePairs.read(path), library.tokenizer.SimpleTokenizer()


@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_those_of_open_clip(pair, text):
    mine, theirs = pair
    if "_of_text" not in text:  # there a mark is a mark, here it is nothing a user can write
        assert np.array_equal(tokenize(mine, [text]), theirs([text]).numpy())


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs", "Cc")), max_size=60))
def test_ids_of_any_text(pair, text):
    mine, theirs = pair
    assert mine.encode(text) == theirs.encode(text)


def test_what_does_not_fit_is_told(pair):
    mine, _ = pair
    long = "one two three four five " * 20
    assert find_overflow(mine, "a cat") == ""
    assert find_overflow(mine, long).startswith("one two three four five")
    row = tokenize(mine, [long])[0]
    assert row[-1] == mine.end
    assert (row > 0).all()


def test_marks_cannot_be_written(pair):
    mine, _ = pair
    assert not {mine.start, mine.end} & set(mine.encode("<start_of_text> a <end_of_text>"))


@pytest.mark.parametrize("content", [b"", b"a b\n" * 10, b"\x1f\x8bnot gzip", b"\xff\xfe\xff" * 100])
def test_damaged_vocabularies_are_refused(tmp_path, content):
    (tmp_path / "merges.txt").write_bytes(content)
    with pytest.raises(EvoartError, match="vocabulary"):
        BytePairs.read(tmp_path / "merges.txt")


def test_words():
    words = Words(("a", "cat", "red"), 6, "toy")
    assert tokenize(words, ["A red, RED cat!"]).tolist() == [[4, 1, 3, 3, 2, 5]]
    assert tokenize(words, ["cat"]).tolist() == [[4, 2, 5, 0, 0, 0]]
    assert find_overflow(words, "a a a a cat") == "cat"
    with pytest.raises(UsageError, match="toy does not know 'dog'"):
        words.encode("a dog")
    with pytest.raises(UsageError, match="does not know"):
        words.encode("!?")
