"""What became of each layer of the model: where its tensor lies and when, which jobs compute it, what it costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ascnode_gateware.compiler.plan import Plan, Step, View
from ascnode_gateware.compiler.work import Work
from ascnode_gateware.model.layers import Layer, Model, Reshape
from ascnode_gateware.program.program import LayerInfo, OutputLayout


@dataclass(frozen=True)
class Span:
    """What one work became."""

    first_job: int
    job_count: int
    address: int | None
    stream_words: int


def layer_table(
    model: Model,
    plan: Plan,
    works: Sequence[Work],
    spans: Sequence[Span],
    lies: Callable[[View, tuple[int, ...]], OutputLayout],
    repacked: bool,
) -> tuple[LayerInfo, ...]:
    """One entry a layer; `lies` places a view under a shape. A repacked input has no tensor that could be read."""
    done = _done(model, plan)
    if repacked:
        done = {key: count for key, count in done.items() if count > 0}
    entries = []
    for layer in model.layers:
        view = plan.views.get(layer.output.id) if layer.output.id in done else None
        tensor = None if view is None else lies(view, layer.output.shape)
        entry = LayerInfo(
            *(layer.index, layer.op, layer.output.id, layer.input.shape, layer.output.shape, layer.macs),
            *(tensor, None if tensor is None else done[layer.output.id]),
        )
        entries.append(_with_jobs(entry, layer, plan, works, spans))
    return tuple(entries)


def _done(model: Model, plan: Plan) -> dict[int, int]:
    """The layer counter's value from which on each tensor lies in memory, by tensor id."""
    done = {model.input.id: 0}
    for number, step in enumerate(plan.steps):
        done[step.out.tensor.id] = number + 1
    for layer in model.layers:
        if isinstance(layer, Reshape) and layer.input.id in done:
            done[layer.output.id] = done[layer.input.id]
    return done


def _with_jobs(
    entry: LayerInfo, layer: Layer, plan: Plan, works: Sequence[Work], spans: Sequence[Span]
) -> LayerInfo:
    step = next((step for step in plan.steps if layer in step.layers), None)
    if step is None:
        return replace(entry, note="costs nothing")
    if layer is not step.layer:
        return replace(entry, note=f"runs within {step.name}")
    own = [(work, span) for work, span in zip(works, spans, strict=True) if work.step is step]
    addresses = [span.address for _, span in own if span.address is not None]
    return replace(
        entry,
        first_job=own[0][1].first_job,
        job_count=sum(span.job_count for _, span in own),
        weights_address=min(addresses, default=None),
        weight_words=sum(work.constant_words for work, _ in own),
        stream_words=sum(span.stream_words for _, span in own),
        note=_note(step, [work for work, _ in own]),
    )


def _note(step: Step, works: Sequence[Work]) -> str:
    notes = []
    if works[0].repacked is not None:
        notes.append("reads its input repacked")
    if step.pad is not None:
        notes.append(f"pads as {step.pad.name}")
    if step.add is not None and step.add is not step.layer:
        notes.append(f"adds as {step.add.name}")
    if step.copies:
        notes.append("adds to a copy")
    folded = sum(part.sweep.constants for work in works for part in work.parts)
    if folded:
        notes.append(f"{folded} constant channels")
    return ", ".join(notes)
