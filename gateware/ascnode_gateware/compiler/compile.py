"""From a model to a program, in order: plan, lower, cut and pack, place activations, place constants, emit."""

from dataclasses import dataclass, replace
from pathlib import Path

from ascnode_gateware.compiler.buffers import Activations, place, suited
from ascnode_gateware.compiler.emit import Emitter
from ascnode_gateware.compiler.lower import lower
from ascnode_gateware.compiler.plan import Plan, make_plan
from ascnode_gateware.compiler.residency import Constants, decide, decide_shares
from ascnode_gateware.compiler.target import UP5K, Options, Target
from ascnode_gateware.compiler.work import Work, make_work
from ascnode_gateware.model.layers import Model, ModelError
from ascnode_gateware.model.tflite_graph import Graph
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.program.foretell import foretell
from ascnode_gateware.program.program import Program

_DEFAULTS = Options()
_OVERLAP_PRICE = 1.005  # cycles for a placement that lets transfers and runs overlap
_ROUNDS = 4  # of moving activations to where the constants are not


@dataclass(frozen=True, eq=False)
class _Choice:
    """One way to place everything."""

    works: list[Work]
    activations: Activations
    constants: Constants

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Wholly resident first, then fast."""
        return self.constants.stream_words > 0, *self.constants.rank

    @property
    def constants_banks(self) -> list[int]:
        """Of each work."""
        return [self.constants.bank_of(number) for number in range(len(self.works))]


def compile_file(path: Path, *, target: Target = UP5K, options: Options = _DEFAULTS) -> Program:
    """`compile_model` of a .tflite file; a softmax at its end is left to a CPU. ModelError names the file."""
    model = load_model(path, drop_final_softmax=True)
    left = [op for index, op, _ in Graph(path.read_bytes()).operators() if index > model.layers[-1].index]
    try:
        return compile_model(model, target=target, options=options, name=path.stem, cpu_ops=tuple(left))
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}") from error


def compile_model(
    model: Model,
    *,
    target: Target = UP5K,
    options: Options = _DEFAULTS,
    name: str = "model",
    cpu_ops: tuple[str, ...] = (),
) -> Program:
    """The same program for the same model, always; ModelError, in one sentence, when it cannot run or does not fit."""
    plan = make_plan(model, options)
    choices: list[_Choice] = []
    failure: ModelError | None = None
    for works in _alternatives(plan, options):
        try:
            choices.append(_placed(plan, works, target, options))
        except ModelError as error:
            failure = failure or error
    if not choices:
        raise failure or ModelError("the model cannot run")
    best = min(choices, key=lambda choice: choice.rank)
    emitter = Emitter(plan, best.activations, best.constants, target.bank_words)
    program = emitter.program(model, best.works, name, cpu_ops)
    return replace(program, foretold=foretell(program))


def _alternatives(plan: Plan, options: Options) -> list[list[Work]]:
    """Works with the input as suits the first layer best; if that repacks it, also without."""
    works = _works(plan, options, options.repack)
    repacked = any(work.repacked is not None for work in works)
    return [works, _works(plan, options, False)] if repacked else [works]


def _works(plan: Plan, options: Options, repack: bool) -> list[Work]:
    reading = [n for n, step in enumerate(plan.steps) for v in step.reads() if v.buffer == plan.input.buffer]
    alone = repack and len(reading) == 1 and plan.output.buffer != plan.input.buffer
    return [
        make_work(
            step, lower(step, options, alone and n in reading and step.source.buffer == plan.input.buffer)
        )
        for n, step in enumerate(plan.steps)
    ]


def _placed(plan: Plan, works: list[Work], target: Target, options: Options) -> _Choice:
    """With the activations where the whole is fastest: those that suit the constants that suit the activations."""
    best = _decided(place(plan, works, target), works, target, options)
    for _ in range(_ROUNDS):
        near = suited(plan, best.works, target, best.activations.banks, best.constants_banks)
        try:
            found = _decided(near, works, target, options)
        except ModelError:
            break
        if found.rank >= best.rank:
            break
        best = found
    return _overlapping(best, plan, works, target, options) or best


def _overlapping(
    best: _Choice, plan: Plan, works: list[Work], target: Target, options: Options
) -> _Choice | None:
    """The same with an input and an output that nothing else lies over, where that costs next to nothing.

    A host may then write the next input, and read the last output, while the engine runs.
    """
    near = suited(plan, works, target, best.activations.banks, best.constants_banks, apart=True)
    try:
        found = _decided(near, works, target, options)
    except ModelError:
        return None
    streams, cycles, _ = best.rank
    return found if found.rank[0] <= streams and found.rank[1] <= cycles * _OVERLAP_PRICE else None


def _decided(placements: list[Activations], works: list[Work], target: Target, options: Options) -> _Choice:
    """The best of `placements` with the constants where they suit it; ModelError when they fit nowhere."""
    choices: list[_Choice] = []
    failure: ModelError | None = None
    for activations in placements:
        try:
            constants = decide(works, activations, target, options.stream)
        except ModelError as error:
            failure = failure or error
            continue
        choices.append(_Choice(works, activations, constants))
        if constants.stream_words and options.stream == "auto":
            partly = decide_shares(works, activations, target)
            choices += [] if partly is None else [_Choice(partly[0], activations, partly[1])]
    if not choices:
        raise failure or ModelError("the model does not fit")
    return min(choices, key=lambda choice: choice.rank)
