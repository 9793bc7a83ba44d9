"""Output without what no two runs have in common: paths, numbers of processes, addresses."""

import re


def plain(text, *homes):
    """`homes` are paths that stand for the folder of the program."""
    for home in homes:
        text = re.sub(r"(?:file://)?%s/?" % re.escape(home), "", text)
    text = re.sub(r"\bcell_\d+\.(py|js)\b", r"main.\1", text)
    # A run of a session is evaluated by its shell, and bash says so.
    text = text.replace("main.sh: eval: line", "main.sh: line")
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    text = re.sub(r"\bin \d+\.\d+s\b", "in 0s", text)
    if re.search(r"main\.js:\d|node:", text):
        text = _trace_of_node(text)
    text = re.sub(r"/\S*/cc\w+\.o", "main.o", text)
    return re.sub(r"\(node:\d+\)| *\d+ +(?=Killed|Terminated|Aborted|Segmentation)", "", text)


def _trace_of_node(text):
    """Without Node's own frames, how it calls the main module, how it underlines, and its last line."""
    text = re.sub(r"^( +at .*?)(?: {|,)$", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r"^ +(at .*node:internal/|\.\.\. \d+ lines matching|\[\.\.\. lines).*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\bat (?:Object|Timeout)\.\S+ \((main\.js:\d+:\d+)\)", r"at \1", text)
    text = re.sub(r"^ +\^*\n|^\^+\n|\n*Node\.js v[\d.]+\n", "", text, flags=re.MULTILINE)
    return re.sub(r"(main\.js:\d+\n)\n*", r"\1", text).rstrip("\n") + "\n"
