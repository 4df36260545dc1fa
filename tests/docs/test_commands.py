"""Every command in the documentation is one that there is, and every one that there is is documented."""

import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from ascnode.cli.reference import commands
from docs.commands import problem
from docs.reading import PAGES, ROOT, Block, blocks, command_lines, inline_code, text_of

SHELL = [block for page in PAGES for block in blocks(page) if block.kind in ("sh", "console")]
INLINE = sorted(
    {(page.name, code) for page in PAGES for code in inline_code(page) if code.startswith("ascnode ")}
)
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PLUGIN = ROOT / "hil" / "ascnode_hil" / "plugin.py"
PYTEST_OPTIONS = set(re.findall(r"--ascnode-[a-z0-9-]+", PLUGIN.read_text()))
# of modules that are run with python -m, such as a benchmark
SCRIPTS = [*(ROOT / "tests" / "bench").glob("*.py"), *(ROOT / "gateware").rglob("__main__.py")]
SCRIPT_OPTIONS = {option for path in SCRIPTS for option in re.findall(r'"(--[a-z-]+)"', path.read_text())}
# of other programs, which the text names
FOREIGN = {"--junitxml", "--pyargs", "--reload", "--help"}


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_are_understood(block: Block) -> None:
    for line in command_lines(block.text):
        assert not _problem(line), f"{line}: {_problem(line)}"


@pytest.mark.parametrize(("page", "code"), INLINE)
def test_commands_within_lines_are_understood(page: str, code: str) -> None:
    assert not problem(code, whole=False)


def test_every_command_is_documented() -> None:
    named = [line.removeprefix(".venv/bin/") for block in SHELL for line in command_lines(block.text)]
    said = [*named, *(code for _, code in INLINE), *_of_groups()]
    missing = [name for name, _ in commands() if not any(_names(line, name) for line in said)]
    assert missing == []


def test_every_extra_is_documented() -> None:
    table = text_of("first-run.md").split("## Extras")[1]
    assert [extra for extra in EXTRAS if f"`{extra}`" not in table] == []


def test_every_option_of_pytest_is_documented() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    assert {option for option in PYTEST_OPTIONS if option not in text} == set()


def test_options_named_in_the_text_are_some_commands() -> None:
    known = {option for _, command in commands() for one in command.params for option in one.opts}
    known |= PYTEST_OPTIONS | SCRIPT_OPTIONS | FOREIGN
    named = {
        (page.name, option)
        for page in PAGES
        for code in inline_code(page)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", code)
        if not re.match(r"(dfu-util|git|pip|uhubctl|yosys|nextpnr|npm) ", code)
    }
    assert {(page, option) for page, option in named if option not in known} == set()


@pytest.mark.parametrize(
    ("line", "whole", "complaint"),
    [
        ("ascnode sky passes --frm Berlin", True, "no option --frm"),
        ("ascnode sky passed", True, "no command 'passed'"),
        ("ascnode sky passes|eclipsed", False, "no command 'passes|eclipsed'"),
        ("ascnode run FILE [--sed N]", True, "no option --sed"),
        ("ascnode accel synth --seeds many", True, "valid integer"),
        ("ascnode accel synth --target ice41", True, "ice41"),
        ("ascnode run", True, "Missing argument"),
        ("ascnode sky", True, "a group is no command"),
    ],
)
def test_a_command_that_is_wrong_is_found(line: str, whole: bool, complaint: str) -> None:
    assert complaint in problem(line, whole)


@pytest.mark.parametrize(
    "code",
    ["ascnode run", "ascnode sky", "ascnode accel synth --seeds", "ascnode sky passes|eclipse|visible"],
)
def test_a_command_may_be_named_without_its_arguments(code: str) -> None:
    assert not problem(code, whole=False)


def _of_groups() -> list[str]:
    """A page with a table of a group's commands leaves out `ascnode`."""
    groups = {name.split()[0] for name, _ in commands() if " " in name}
    cells = [code for page in PAGES for code in inline_code(page)]
    return [f"ascnode {code}" for code in cells if code.split()[:1] and code.split()[0] in groups]


def _names(line: str, command: str) -> bool:
    words = line.split()[1:]
    wanted = command.split()
    return len(words) >= len(wanted) and all(
        name in word.split("|") for name, word in zip(wanted, words, strict=False)
    )


def _problem(line: str) -> str:
    program, *rest = shlex.split(line)
    match Path(program).name:
        case "ascnode":
            return problem(line, whole=True)
        case "python" if rest[:2] == ["-m", "ascnode"]:
            return problem(" ".join(rest[1:]), whole=True)
        case "python" if rest[0] == "-m":
            return "" if find_spec(rest[1]) else f"no module {rest[1]}"
        case "make":
            return "" if set(rest) <= TARGETS else f"no target {' '.join(rest)}"
        case "pip":
            return _extras(rest)
        case "pytest":
            return _pytest(rest)
    return ""


def _extras(words: list[str]) -> str:
    named = {extra for word in words for extra in re.findall(r"\w+", "".join(re.findall(r"\[(.*?)\]", word)))}
    return " ".join(f"no extra {name}" for name in named - EXTRAS.keys())


def _pytest(words: list[str]) -> str:
    named = {word.split("=")[0] for word in words if word.startswith("--ascnode-")}
    modules = [word.split("::")[0] for word in words if word.startswith("ascnode_hil")]
    return " ".join([*(named - PYTEST_OPTIONS), *(name for name in modules if not find_spec(name))])
