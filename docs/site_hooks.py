"""What the site has beyond the pages: the reference of all commands, and copies of the sources that pages link to.

A page links to a source as `../host/...`, which is right in a checkout; the site stands alone, so it holds a copy.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from ascnode.cli.reference import reference

ROOT = Path(__file__).resolve().parents[1]
_SOURCE = re.compile(r"\]\(\.\./([^)#]+)\)")
_COMMANDS = (
    "# Commands\n\nEvery command with its arguments and options, made from the commands themselves.\n\n"
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the commands' page, and each source that a page links to, as plain text that any browser shows."""
    files.append(File.generated(config, "commands.md", content=_COMMANDS + reference()))
    linked = {name for file in files.documentation_pages() for name in _SOURCE.findall(file.content_string)}
    for name in sorted(linked):
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, _copy(name), content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to sources lead to their copies."""
    return _SOURCE.sub(lambda found: f"]({_copy(found[1])})", markdown)


def on_post_template(output: str, template_name: str, config: MkDocsConfig) -> str:
    """No 404.html: it is a server's, and without a server's address its search leads to another host."""
    return "" if template_name == "404.html" else output


def _copy(name: str) -> str:
    return f"source/{name}.txt"
