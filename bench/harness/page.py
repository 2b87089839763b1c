"""Figures as lines on a terminal and as the tables of a page."""

import itertools

BEGIN, END = "<!-- figures: written by bench/suite -->", "<!-- end of figures -->"


def bar_text(direction, must):
    return "reported" if must is None else f"{direction} {must:g}"


def number_text(value):
    return f"{value:.3f}" if value < 2 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def value_text(entry):
    """The figure, and the range of the pairs where there is one."""
    if entry["low"] == entry["high"]:
        return number_text(entry["value"])
    return f"{number_text(entry['value'])} ({number_text(entry['low'])} to {number_text(entry['high'])})"


def verdict(entry):
    if entry["must"] is None:
        return ""
    return "yes" if entry["holds"] else "**no**"


def sides_text(entry):
    return " / ".join(filter(None, (entry["ours"], entry["theirs"])))


def noise_text(entry):
    """Why a figure is to be read with care."""
    if entry.get("quiet", True):
        return ""
    return f"the machine was busy in {entry['disturbed_pairs']} pairs"


def line_text(entry):
    if "not_measured" in entry:
        return f"{entry['row']:24} not measured: {entry['not_measured']}"
    notes = [bar_text(entry["direction"], entry["must"]), verdict(entry).strip("*"), noise_text(entry)]
    return (f"{entry['row']:24} {value_text(entry):25} {sides_text(entry):32} "
            f"{'; '.join(filter(None, notes))}")


def table_line(entry):
    cells = [f"`{entry['row']}`", entry["title"]]
    if "not_measured" in entry:
        reason = entry["not_measured"].splitlines()[0][:120]
        cells += ["not measured", reason]
    else:
        cells += [value_text(entry), sides_text(entry)]
    held = [] if "not_measured" in entry else [verdict(entry), noise_text(entry)]
    cells += [bar_text(entry["direction"], entry["must"]), "; ".join(filter(None, held))]
    return "| " + " | ".join(cells) + " |"


def tables(report):
    size = " With `--quick`: 100 MB instead of 1 GiB." if report["quick"] else ""
    yield f"{report['date']}, {report['machine']}; {report['seconds'] // 60} minutes.{size}"
    for group, entries in itertools.groupby(report["rows"], key=lambda entry: entry["group"]):
        yield f"\n### {group}\n"
        yield "| row | what | ratio or value (range) | ours / theirs | bar | held |"
        yield "|---|---|---|---|---|---|"
        yield from map(table_line, entries)


def has_place(path):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return False
    return END in text.partition(BEGIN)[2]


def write_tables(path, report):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n" + "\n".join(tables(report)) + "\n" + END + after)
