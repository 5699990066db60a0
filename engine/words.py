"""The words of a caption, each of which can be left out: where they begin and end.

Chinese is written without spaces, and the program has no dictionary to part it by. So it is parted
where a few words stand that hardly ever are a part of others; what lies between them stays
together, and is now and then more than one word.
"""

from __future__ import annotations

import re

Span = tuple[int, int]

_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Runs of letters and digits, with what joins them: don't, T-shirt. Runs of Chinese apart from them.
_RUN = re.compile(rf"[{_HAN}]+|(?:(?![{_HAN}])[^\W_])+(?:['’-](?:(?![{_HAN}])[^\W_])+)*")
_CHINESE = re.compile(
    r"[一二两三四五六七八九十几数这那]+[个只条名位群张辆块匹头棵座件双排片朵架艘根把种些]"
    r"|[红黄蓝绿黑白灰棕褐紫橙粉金银]色"
    r"|正在|[的了着在和与及被是从向]"
    # Not in coats, schooling, faces; evenings, mornings; insides.
    r"|(?<![早晚马])上(?![衣身面学班午])|里(?!面)"
)


def words_of(caption: str) -> list[Span]:
    """Start and end of every word in ``caption``, in order; none where it has no letter or digit.

    What is no word, such as punctuation, belongs to none.
    """
    spans: list[Span] = []
    for run in _RUN.finditer(caption):
        if not re.match(f"[{_HAN}]", run[0]):
            spans.append(run.span())
            continue
        begin = run.start()
        for known in _CHINESE.finditer(caption, *run.span()):
            spans += [(begin, known.start())] if known.start() > begin else []
            spans.append(known.span())
            begin = known.end()
        spans += [(begin, run.end())] if run.end() > begin else []
    return spans


def without(caption: str, word: Span) -> str:
    """The caption with a word left out, and what stood around it no nearer than a space.

    Chinese needs none.
    """
    before, after = caption[: word[0]].rstrip(), caption[word[1] :].lstrip()
    close = re.search(f"[{_HAN}]$", caption[: word[0]])
    return f"{before}{'' if close else ' '}{after}".strip()
