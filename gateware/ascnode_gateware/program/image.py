"""The .acc file: a compiled program and what a node needs beside it. docs/accelerator.md has it byte for byte.

Sections: one description (JSON), the memory's segments by ascending address, the stream, what a driver needs in
binary, the model for a node's CPU, a self-test. All but the description are optional; each is under a CRC-32. The same
image gives the same bytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from ascnode_gateware.program import image_info
from ascnode_gateware.program.image_info import ImageError
from ascnode_gateware.program.image_run import pack_run
from ascnode_gateware.program.image_sections import (
    MAGIC,
    VERSION,
    Kind,
    Section,
    pack_sections,
    read_sections,
)
from ascnode_gateware.program.job import BANK_WORDS, HEADER_WORDS, RING_BLOCK_WORDS, Job, Opcode, unpack
from ascnode_gateware.program.program import MEMORY_WORDS, Program, Words

__all__ = [
    "MAGIC",
    "VERSION",
    "Image",
    "ImageError",
    "SelfTest",
    "load_image",
    "read_image",
    "read_whole_image",
    "write_image",
]


@dataclass(frozen=True)
class SelfTest:
    """An input and what the model answers to it, int8 as bytes in the model's shapes."""

    input: bytes
    output: bytes


@dataclass(frozen=True, eq=False)
class Image:
    """What an .acc file holds; `cpu_model` is the same model for a node's CPU, opaque here, empty if left out."""

    program: Program
    cpu_model: bytes = b""
    self_test: SelfTest | None = None


def write_image(program: Program, *, cpu_model: bytes = b"", self_test: SelfTest | None = None) -> bytes:
    """The file's bytes; ValueError when `self_test` is not of the program's shapes."""
    sections = [*_program_sections(program)]
    if cpu_model:
        sections.append(Section(Kind.CPU_MODEL, len(cpu_model), _padded(cpu_model)))
    if self_test is not None:
        _check_shapes(program, self_test)
        both = self_test.input + self_test.output
        sections.append(Section(Kind.SELF_TEST, len(self_test.input), _padded(both)))
    return pack_sections(program.model_id, sections)


def _program_sections(program: Program) -> Iterator[Section]:
    description = image_info.encode(program)
    yield Section(Kind.DESCRIPTION, 0, description + b" " * (-len(description) % 4))
    for at, words in sorted(program.segments.items()):
        yield Section(Kind.SEGMENT, at, _bytes(words))
    if len(program.stream):
        yield Section(Kind.STREAM, 0, _bytes(program.stream))
    if program.foretold is not None:
        yield Section(Kind.RUN, 0, pack_run(program, program.foretold))


def _check_shapes(program: Program, self_test: SelfTest) -> None:
    wanted = prod(program.input.shape), prod(program.output.shape)
    found = len(self_test.input), len(self_test.output)
    if found != wanted:
        raise ValueError(f"a self-test of {found} bytes is none for a model of {wanted}")


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def load_image(path: Path) -> Program:
    """`read_image` of a file; ImageError names the file, OSError passes through."""
    try:
        return read_image(path.read_bytes())
    except ImageError as error:
        raise ImageError(f"{path.name}: {error}") from error


def read_image(data: bytes) -> Program:
    """The program in `data`; ImageError for anything that `write_image` would not write."""
    return read_whole_image(data).program


def read_whole_image(data: bytes) -> Image:
    """All that is in `data`; ImageError likewise."""
    image = _read(data)
    again = write_image(image.program, cpu_model=image.cpu_model, self_test=image.self_test)
    if again != data:
        raise ImageError("the image holds more than its program: it was not written by this compiler")
    return image


def _read(data: bytes) -> Image:
    model_id, sections = read_sections(data)
    kinds = [section.kind for section in sections]
    single = [kinds.count(kind) for kind in Kind if kind != Kind.SEGMENT]
    if kinds != sorted(kinds) or single[0] != 1 or max(single) > 1:
        raise ImageError(
            "the image's sections are not one description, segments, and at most one of each other"
        )
    program = _program(sections, model_id)
    found = {section.kind: section for section in sections}
    return Image(
        program, _cpu_model(found.get(Kind.CPU_MODEL)), _self_test(program, found.get(Kind.SELF_TEST))
    )


def _cpu_model(section: Section | None) -> bytes:
    return b"" if section is None else section.data[: section.place]


def _self_test(program: Program, section: Section | None) -> SelfTest | None:
    if section is None:
        return None
    inputs, outputs = prod(program.input.shape), prod(program.output.shape)
    if section.place != inputs or len(section.data) != len(_padded(bytes(inputs + outputs))):
        raise ImageError(
            f"the image's self-test has {len(section.data)} bytes, {section.place} of them input"
        )
    return SelfTest(section.data[:inputs], section.data[inputs : inputs + outputs])


def _program(sections: list[Section], model_id: int) -> Program:
    info = image_info.decode(sections[0].data)
    segments = _segments([section for section in sections if section.kind == Kind.SEGMENT])
    stream = _words(next((section.data for section in sections if section.kind == Kind.STREAM), b""))
    if len(stream) % RING_BLOCK_WORDS or (len(stream) > 0) != (info.ring_blocks > 0):
        raise ImageError(f"the image has a stream of {len(stream)} words and {info.ring_blocks} ring blocks")
    return Program(
        model_id=model_id,
        name=info.name,
        jobs=_jobs(segments, info.program_address),
        program_address=info.program_address,
        segments=segments,
        stream=stream,
        ring_base=info.ring_base,
        ring_blocks=info.ring_blocks,
        input=info.input,
        output=info.output,
        layers=info.layers,
        cpu_ops=info.cpu_ops,
        foretold=info.foretold,
    )


def _bytes(words: Words) -> bytes:
    return words.astype("<u4").tobytes()


def _words(data: bytes) -> Words:
    return np.frombuffer(data, "<u4").astype(np.uint32)


def _segments(sections: list[Section]) -> dict[int, Words]:
    """Ascending, none empty, none over another or over a bank's end."""
    found: dict[int, Words] = {}
    end = 0
    for section in sections:
        words = len(section.data) // 4
        in_bank = section.place % BANK_WORDS + words <= BANK_WORDS and section.place < MEMORY_WORDS
        if not words or section.place < end or not in_bank:
            raise ImageError(f"the segment of {words} words at {section.place:#06x} has no place there")
        found[section.place] = _words(section.data)
        end = section.place + words
    return found


def _jobs(segments: Mapping[int, Words], address: int) -> tuple[Job, ...]:
    """The headers from `address` to END, all in one segment."""
    words = segments.get(address, np.zeros(0, np.uint32)).tolist()
    jobs: list[Job] = []
    for start in range(0, len(words), HEADER_WORDS):
        job = unpack(words[start : start + HEADER_WORDS])
        if job.opcode == Opcode.END:
            return (*jobs, Job(Opcode.END))
        jobs.append(job)
        if job.opcode not in tuple(Opcode) or start + HEADER_WORDS >= len(words):
            break
    raise ImageError(f"the image's jobs at {address:#06x} do not end with END")
