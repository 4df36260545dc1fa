"""The frame of a page, its style, and tables."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

STYLE = """
:root{color-scheme:light dark;--ink:#1a1d21;--paper:#fff;--line:#8883;--dim:#667;--accent:#1d5fd1;--bad:#b42318}
@media(prefers-color-scheme:dark){:root{--ink:#dfe3e8;--paper:#14171a;--dim:#98a1ab;--accent:#7aa9f7;--bad:#f0857a}}
body{font:14px/1.45 system-ui,sans-serif;max-width:76rem;margin:1.5rem auto;padding:0 1rem;
color:var(--ink);background:var(--paper)}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:1.8rem 0 .4rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1rem 0 .2rem}p{margin:.4rem 0;max-width:60rem}
table{border-collapse:collapse;margin:.4rem 0 1rem}
table.wide{width:100%}
th,td{text-align:left;padding:.15rem .7rem .15rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:500;color:var(--dim)}td{overflow-wrap:anywhere}
td:first-child,.k{overflow-wrap:normal;white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code,pre{font:12px ui-monospace,monospace}pre{overflow:auto;background:#8881;padding:.6rem}
.pass{color:var(--ink)}.fail,.critical{color:var(--bad);font-weight:600}.marginal,.warning{color:var(--bad)}
.blocked{color:var(--ink);font-weight:600}.skipped,.untested,.dim{color:var(--dim)}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(26rem,100%),1fr));gap:.6rem 1.6rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.2rem,1fr));gap:.2rem 1.2rem;margin:.8rem 0}
.facts div{border-top:1px solid var(--line);padding:.25rem 0}
.facts b{display:block;font-size:1.15rem;white-space:nowrap;font-weight:500;font-variant-numeric:tabular-nums}
.facts span{color:var(--dim)}
svg{width:100%;height:auto;color:var(--ink)}svg.bar{width:22rem;height:12px;vertical-align:middle}
svg .f{stroke:var(--line)}svg .t{font:500 11px system-ui;fill:currentColor}
svg .s{font:10px system-ui;fill:var(--dim);font-variant-numeric:tabular-nums}
svg .l0,svg .l1,svg .l2,svg .l3{fill:none;stroke-width:1.2;stroke:currentColor}
svg .l0{stroke:var(--accent);stroke-width:1.6}svg .l2{stroke-dasharray:5 3}svg .l3{stroke-dasharray:1.5 2.5}
svg .b{fill:var(--accent);opacity:.16}svg .c{fill:var(--accent)}svg .n{fill:#8882}
svg line.x{stroke:var(--bad);stroke-dasharray:2 4}svg text.x{fill:var(--bad)}
svg .m{stroke:currentColor;fill:currentColor;stroke-width:.7}
svg [class^=p]{fill:var(--accent)}svg .p1{opacity:.75}svg .p2{opacity:.3}svg .p3{opacity:.9}svg .p4{opacity:.5}
svg .p5{opacity:.2}
details{margin:.3rem 0}summary{cursor:pointer}
@media print{body{max-width:none;margin:0;font-size:11px}h2,svg{break-inside:avoid}h2{break-after:avoid}
.plots{grid-template-columns:1fr 1fr}}
"""

SHAPES: Mapping[str, str] = {
    "pass": "✓",
    "marginal": "△",
    "fail": "✕",
    "blocked": "□",
    "skipped": "·",
    "critical": "✕",
    "warning": "△",
}
"""States are told by shape and word, not by colour alone."""


class Html(str):
    """Text that is HTML already."""


def document(title: str, body: str) -> str:
    """A whole page; it asks for nothing from anywhere."""
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
    )
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def mark(state: str, words: str = "") -> Html:
    """A state by shape, word and colour."""
    return Html(f'<span class="{state}">{SHAPES.get(state, "")} {escape(words or state)}</span>')


def attributes(values: Mapping[str, object]) -> str:
    """data-NAME="VALUE" of each, for programs that read the page."""
    return "".join(f' data-{name}="{escape(str(value))}"' for name, value in values.items())


def table(
    head: Iterable[str],
    rows: Sequence[Sequence[object]],
    data: Sequence[Mapping[str, object]] = (),
    wide: bool = False,
) -> str:
    """Numbers stand to the right. `data` are attributes of the rows."""
    if not rows:
        return "<p>None.</p>"
    numeric = [isinstance(cell, (int, float, Number)) for cell in rows[0]]
    names = zip(head, numeric, strict=True)
    top = "".join(f"<th{' class=n' if right else ''}>{escape(name)}</th>" for name, right in names)
    marks = [attributes(one) for one in data] or [""] * len(rows)
    body = "".join(
        f"<tr{about}>{''.join(map(_cell, row))}</tr>" for row, about in zip(rows, marks, strict=True)
    )
    return f"<table{' class=wide' if wide else ''}><tr>{top}</tr>{body}</table>"


class Number(str):
    """Text of a number, with its decimals and unit."""


class Name(str):
    """Text that is not broken."""


def _cell(value: object) -> str:
    text = (
        value if isinstance(value, Html) else escape(f"{value:,}" if isinstance(value, int) else str(value))
    )
    kind = (
        " class=n"
        if isinstance(value, (int, float, Number))
        else " class=k"
        if isinstance(value, Name)
        else ""
    )
    return f"<td{kind}>{text}</td>"
