"""Flags of a command as a list of words."""


def overruled(flags, *more):
    """`flags` with those of `more`, whose values replace earlier ones: a flag that stands twice is a mistake."""
    words = [str(word) for word in flags]
    for word in map(str, more):
        if word.startswith("--") and word in words:
            first = words.index(word)
            del words[first : first + 2]
    return [*words, *map(str, more)]
