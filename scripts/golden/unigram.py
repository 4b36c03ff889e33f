"""Unigram segmentation by Viterbi, in the plainest way: the oracle of Universal Sentence Encoder Lite's tokenizer.

The highest sum of piece scores wins. A character that begins no piece is unknown (id 0, score 0); unknown
characters in a row count as one. Spaces become U+2581 and one stands before the text. The six reserved pieces
never match. Seven pieces of the published vocabulary, all with a colon, have null for a score: it counts as 0, as in
the original.
"""

import unicodedata

RESERVED = 6


def encode(text, vocabulary):
    pieces = {piece: (score or 0.0, index) for index, (piece, score) in enumerate(vocabulary) if index >= RESERVED}
    longest = max(map(len, pieces))
    starts = {piece[0] for piece in pieces}
    text = unicodedata.normalize('NFKC', text)
    if not text:
        return []
    text = '\u2581' + text.replace(' ', '\u2581')
    best = [(0.0, None, None)] + [None] * len(text)
    for begin in range(len(text)):
        if best[begin] is None:
            continue
        found = [(text[begin:end], *pieces[text[begin:end]])
                 for end in range(begin + 1, min(len(text), begin + longest) + 1) if text[begin:end] in pieces]
        if not found and text[begin] not in starts:
            found = [(text[begin], 0.0, 0)]
        for piece, score, index in found:
            end = begin + len(piece)
            if best[end] is None or best[begin][0] + score >= best[end][0]:
                best[end] = (best[begin][0] + score, begin, index)
    ids, position = [], len(text)
    while position > 0:
        _, begin, index = best[position]
        if not (index == 0 and ids and ids[-1] == 0):
            ids.append(index)
        position = begin
    return ids[::-1]
