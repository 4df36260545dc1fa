"""Gives everything its address: the last step from works to a program."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ascnode_gateware.compiler.buffers import Activations
from ascnode_gateware.compiler.layer_table import Span, layer_table
from ascnode_gateware.compiler.plan import Plan, View
from ascnode_gateware.compiler.repack import plain
from ascnode_gateware.compiler.residency import HEADERS, Constants
from ascnode_gateware.compiler.work import Part, Work
from ascnode_gateware.model.layers import Model
from ascnode_gateware.program.job import BANK_WORDS, RING_BLOCK_WORDS, Job, Opcode
from ascnode_gateware.program.program import InputLayout, OutputLayout, Program, Words


@dataclass
class Emitter:
    """Collects jobs, segments and stream, work by work."""

    plan: Plan
    activations: Activations
    constants: Constants
    bank_words: int
    jobs: list[Job] = field(default_factory=list)
    segments: dict[int, Words] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next = list(self.activations.peaks)
        self._stream: list[Words] = []

    def program(self, model: Model, works: Sequence[Work], name: str, cpu_ops: tuple[str, ...]) -> Program:
        """The whole program; works in the plan's order."""
        for number, work in enumerate(works):
            self._work(number, work)
        repacked = any(work.repacked is not None for work in works)
        self.jobs.append(Job(Opcode.END))
        headers = np.array([word for job in self.jobs for word in job.pack()], np.uint32)
        program_address = self._reserve(self.constants.banks[HEADERS], headers)
        blocks = self.constants.ring_blocks
        ring_base = self.constants.ring_bank * BANK_WORDS + self.bank_words - blocks * RING_BLOCK_WORDS
        return Program(
            model.model_id,
            name,
            tuple(self.jobs),
            program_address,
            self.segments,
            self._whole_blocks(),
            ring_base if blocks else 0,
            blocks,
            self._input(works),
            self._tensor(self.plan.output, model.output.shape),
            layer_table(model, self.plan, works, self.spans, self._tensor, repacked),
            cpu_ops,
        )

    def _work(self, number: int, work: Work) -> None:
        bank = self.constants.banks.get(number)
        first, before = len(self.jobs), self._streamed()
        start = None if bank is None else bank * BANK_WORDS + self._next[bank]
        if work.loads:
            self.jobs.append(self._reading(Job(Opcode.LOAD), work.tables, bank))
        placed: dict[int, int] = {}  # addresses of arrays that several parts may read
        for part in work.parts:
            if bank is not None and id(part.constants) not in placed:
                placed[id(part.constants)] = self._reserve(bank, part.constants)
            self._part(work, part, placed.get(id(part.constants)))
        runs = first + work.loads
        if work.opens:
            self.jobs[runs] = replace(self.jobs[runs], barrier=1)
        if work.closes:
            self.jobs[-1] = replace(self.jobs[-1], layer_end=1)
        self.spans.append(Span(first, len(self.jobs) - first, start, self._streamed() - before))

    def _part(self, work: Work, part: Part, address: int | None) -> None:
        step = work.step
        for tile in part.tiles:
            output = self._address(step.out, tile.output_offset)
            job = replace(
                tile.job,
                input=self._address(part.source, tile.input_offset),
                output=output,
                skip=output if part.adds else 0,
                add=int(part.adds),
            )
            if address is None:
                job = self._reading(job, part.constants, None)
            self.jobs.append(job if address is None else replace(job, weights=address))

    def _reading(self, job: Job, words: Words, bank: int | None) -> Job:
        """The job, with its constants in a bank or at the stream's end."""
        if bank is None:
            self._stream.append(words)
            return replace(job, stream=1)
        return replace(job, weights=self._reserve(bank, words))

    def _reserve(self, bank: int, words: Words) -> int:
        address = bank * BANK_WORDS + self._next[bank]
        self._next[bank] += len(words)
        self.segments[address] = words
        return address

    def _address(self, view: View, offset: int = 0) -> int:
        """Sums wrap inside their bank, as the engine's do."""
        base = self.activations.offsets[view.buffer] + offset
        return self.activations.banks[view.buffer] * BANK_WORDS + base % BANK_WORDS

    def _streamed(self) -> int:
        return sum(len(words) for words in self._stream)

    def _whole_blocks(self) -> Words:
        padding = np.zeros(-self._streamed() % RING_BLOCK_WORDS, np.uint32)
        return np.concatenate([*self._stream, padding])

    def _input(self, works: Sequence[Work]) -> InputLayout:
        view = self.plan.input
        given = [work.repacked for work in works if work.repacked is not None]
        lies = given[0] if given else plain(view.image)
        return InputLayout(
            self._address(view),
            view.tensor.shape,
            view.tensor.scale,
            view.tensor.zero_point,
            *(lies.rows, lies.row_bytes, lies.columns, lies.groups, lies.step, lies.start, lies.pad),
        )

    def _tensor(self, view: View, shape: tuple[int, ...]) -> OutputLayout:
        tensor, image = view.tensor, view.image
        return OutputLayout(
            self._address(view), shape, tensor.scale, tensor.zero_point, image.pixels, image.channels
        )
