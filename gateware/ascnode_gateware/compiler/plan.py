"""The order of work: which layers run for themselves, which ride on another, and which buffer each tensor lies in."""

from dataclasses import dataclass, field, replace

from ascnode_gateware.compiler.pixels import Image, image_of
from ascnode_gateware.compiler.target import Options
from ascnode_gateware.model.layers import (
    Add,
    Convolution,
    Depthwise,
    FullyConnected,
    Layer,
    Model,
    ModelError,
    Pad,
    Pool,
    Reshape,
    Tensor,
)


@dataclass(frozen=True)
class View:
    """A tensor's place: its buffer, and how its words lie there, which a RESHAPE (`reshape`) may have renamed."""

    buffer: int
    image: Image
    tensor: Tensor
    reshape: Layer | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """What runs as one layer of the engine: `layer`, with a padding before it and an addition after it if given.

    `source` lacks the pixels that `pad` adds to it. `skip` is the addition's other operand. The engine adds in place:
    `out` lies over `skip`, or the step `copies` that there first.
    """

    layer: Layer
    source: View
    out: View
    pad: Pad | None = None
    add: Add | None = None
    skip: View | None = None

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The model's layers that it computes, in their order."""
        found = (self.pad, self.layer, self.add if self.add is not self.layer else None)
        return tuple(layer for layer in found if layer is not None)

    @property
    def copies(self) -> bool:
        return self.skip is not None and self.skip.buffer != self.out.buffer

    def reads(self) -> tuple[View, ...]:
        return (self.source,) if self.skip is None else (self.source, self.skip)


@dataclass(frozen=True, eq=False)
class Plan:
    """Steps in order; `views` holds every tensor that ever lies in memory, by its id."""

    steps: tuple[Step, ...]
    views: dict[int, View]
    input: View
    output: View

    def last_read(self, buffer: int) -> int:
        """Index of the last step that reads a buffer; past the last step for the model's output; -1 if none does."""
        if buffer == self.output.buffer:
            return len(self.steps)
        reading = [n for n, step in enumerate(self.steps) if any(v.buffer == buffer for v in step.reads())]
        return max(reading, default=-1)


def make_plan(model: Model, options: Options) -> Plan:
    """ModelError when a layer cannot run, by its name."""
    planner = _Planner(model, options.fuse)
    for layer in model.layers:
        planner.take(layer)
    if not planner.steps:
        raise ModelError("the model computes nothing: it has no layer besides RESHAPE")
    plan = Plan(
        tuple(planner.steps),
        planner.views,
        planner.views[model.input.id],
        planner.views[model.output.id],
    )
    return _in_place(plan) if options.fuse else plan


def pixels_of(view: View, image: Image) -> Image:
    """`image`, if the view's words are those of such an image; ModelError names the RESHAPE in the way."""
    if view.image.same_words(image.channels):
        return image
    culprit = view.reshape.name if view.reshape is not None else f"tensor {view.tensor.name}"
    raise ModelError(
        f"{culprit} makes {image.channels} channels of {view.image.channels}, which moves bytes between words; "
        "keep the number of channels or make both multiples of 4"
    )


def readers(model: Model) -> dict[int, list[Layer]]:
    """The layers that read each tensor, one that reads it twice twice."""
    found: dict[int, list[Layer]] = {}
    for layer in model.layers:
        for tensor in (layer.input, layer.other) if isinstance(layer, Add) else (layer.input,):
            found.setdefault(tensor.id, []).append(layer)
    return found


@dataclass
class _Planner:
    model: Model
    fuse: bool
    steps: list[Step] = field(default_factory=list)
    views: dict[int, View] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._readers = readers(self.model)
        self._buffers = 0
        self._pads: dict[int, Pad] = {}  # folded, by their outputs' ids
        source, tensor = self.model.input, _input_as_read(self.model, self._readers)
        self.views[source.id] = replace(self._new_view(source), image=image_of(tensor.shape))
        self._producers = {layer.output.id: layer for layer in self.model.layers}
        self._adds = self._fused_adds() if self.fuse else {}

    def take(self, layer: Layer) -> None:
        """The model's next layer."""
        if isinstance(layer, Reshape):
            view = self.views[layer.input.id]
            self.views[layer.output.id] = replace(view, tensor=layer.output, reshape=layer)
        elif isinstance(layer, Pad) and self._foldable(layer):
            self._pads[layer.output.id] = layer
        elif not (isinstance(layer, Add) and layer.index in self._riding()):
            self._step(layer)

    def _riding(self) -> set[int]:
        return {add.index for add in self._adds.values()}

    def _step(self, layer: Layer) -> None:
        pad = self._pads.get(layer.input.id)
        source = self.views[layer.input.id if pad is None else pad.input.id]
        add = layer if isinstance(layer, Add) else self._adds.get(layer.index)
        skip = self.views[_other(add, layer)] if add is not None else None
        tensor = layer.output if add is None else add.output
        out = self.views[tensor.id] = self._new_view(tensor)
        if skip is not None:
            pixels_of(skip, out.image)
        self.steps.append(Step(layer, source, out, pad, add, skip))

    def _new_view(self, tensor: Tensor) -> View:
        self._buffers += 1
        return View(self._buffers - 1, image_of(tensor.shape), tensor)

    def _foldable(self, pad: Pad) -> bool:
        """Whether every reader can inject the padding itself, with its own zero point."""
        if not self.fuse or pad.output.id == self.model.output.id or not spatial(pad):
            return False
        same = pad.input.zero_point == pad.output.zero_point and pad.input.id in self.views
        reading = self._readers.get(pad.output.id, [])
        return same and all(isinstance(layer, Convolution | Depthwise) for layer in reading)

    def _fused_adds(self) -> dict[int, Add]:
        """Additions by the index of the layer that they ride on."""
        found: dict[int, Add] = {}
        for layer in self.model.layers:
            host = self._host(layer) if isinstance(layer, Add) else None
            if host is not None and isinstance(layer, Add):
                found[host.index] = layer
        return found

    def _host(self, add: Add) -> Layer | None:
        """The layer that computes the later of the operands, if the addition is all that reads it."""
        made = [self._producers.get(tensor.id) for tensor in (add.input, add.other)]
        host = max(
            (layer for layer in made if layer is not None), key=lambda layer: layer.index, default=None
        )
        if not isinstance(host, Convolution | Depthwise | FullyConnected | Pool | Pad):
            return None
        alone = len(self._readers[host.output.id]) == 1 and host.output.id != self.model.output.id
        return host if alone else None


def _other(add: Add, host: Layer) -> int:
    """Id of the operand that `host` does not compute (or, if it is the addition itself, of the second)."""
    return add.input.id if host.output.id == add.other.id else add.other.id


def spatial(pad: Pad) -> bool:
    """Whether it adds rows and columns only."""
    return len(pad.widths) == 4 and pad.widths[0] == pad.widths[3] == (0, 0)


def _input_as_read(model: Model, reading: dict[int, list[Layer]]) -> Tensor:
    """The model's input under the shape that its first layer besides RESHAPE sees: the loader places its bytes."""
    tensor = model.input
    while tensor.id != model.output.id:
        layers = reading.get(tensor.id, [])
        if len(layers) != 1 or not isinstance(layers[0], Reshape):
            break
        tensor = layers[0].output
    return tensor


def _in_place(plan: Plan) -> Plan:
    """With each sum written over its second operand, if nothing reads that later and the step does not convolve it.

    An addition that stands for itself may as well be written over its first.
    """
    renamed: dict[int, int] = {}
    steps = []
    for number, step in enumerate(plan.steps):
        ways = [step, _swapped(step)] if step.layer is step.add else [step]
        suited = [way for way in ways if _may_overwrite(plan, number, way)]
        step = suited[0] if suited else step
        if suited and step.skip is not None:
            renamed[step.out.buffer] = renamed.get(step.skip.buffer, step.skip.buffer)
        steps.append(_renamed_step(step, renamed))
    views = {key: _renamed(view, renamed) for key, view in plan.views.items()}
    return Plan(tuple(steps), views, _renamed(plan.input, renamed), _renamed(plan.output, renamed))


def _swapped(step: Step) -> Step:
    assert step.skip is not None
    return replace(step, source=step.skip, skip=step.source)


def _may_overwrite(plan: Plan, number: int, step: Step) -> bool:
    skip = step.skip
    return skip is not None and skip.buffer != step.source.buffer and plan.last_read(skip.buffer) == number


def _renamed(view: View, renamed: dict[int, int]) -> View:
    return replace(view, buffer=renamed.get(view.buffer, view.buffer))


def _renamed_step(step: Step, renamed: dict[int, int]) -> Step:
    skip = None if step.skip is None else _renamed(step.skip, renamed)
    return replace(step, source=_renamed(step.source, renamed), out=_renamed(step.out, renamed), skip=skip)
