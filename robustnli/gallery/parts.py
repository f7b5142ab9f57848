"""Word classes by list, with no tagger: function words from here, others from the recipes' word list; a word in no list is `other`.

A word of several classes counts as the first that names it, in the order of `CLASSES`: "that" is a pronoun, "round" a preposition.
"""

from __future__ import annotations

from functools import lru_cache

OTHER = "other"
_FUNCTION = {
    "negation": "not no never none nobody nothing nowhere neither nor without cannot",
    "auxiliary": """am is are was were be been being do does did doing have has had having will would shall should can could may might must
        ought""",
    "determiner": """a an the this these those some any every each all both half either most many much few several more less fewer another
        such enough""",
    "pronoun": """i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself we us our ours
        ourselves they them their theirs themselves one oneself that who whom whose which what somebody someone something anybody anyone
        anything everybody everyone everything there""",
    "preposition": """about above across after against along alongside among around as at before behind below beneath beside besides between
        beyond by despite down during except for from in inside into like near of off on onto opposite out outside over past per round
        since than through throughout till to toward towards under underneath until up upon via with within""",
    "conjunction": "and or but so yet if because although though while whereas unless whether when whenever where wherever once",
    "number": """zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
        nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million dozen first second third fourth fifth
        sixth seventh eighth ninth tenth""",
}
CLASSES = ("noun", "verb", "adjective", "adverb", *_FUNCTION, OTHER)
_FOUND = {word: name for name, words in reversed(_FUNCTION.items()) for word in words.split()}


@lru_cache(maxsize=100_000)
def part_of_speech(word: str) -> str:
    """The word's class, in any case; `other` where no list has it."""
    low = word.casefold().replace("\u2019", "'")
    if low.endswith("n't"):
        return "negation"
    if low in _FOUND:
        return _FOUND[low]
    return "number" if low.replace(",", "").replace(".", "").isdecimal() else OTHER
